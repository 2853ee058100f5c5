"""Sensors of a Gateway."""

from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)

from .entity import SelfTestEntity
from .selftest.model import Status

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0

VERDICTS: Final = ("liveness", "readiness", "mode", "started_at")


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of an entry."""
    async_add_entities([SelfTestSensor(entry.runtime_data.reports)])


class SelfTestSensor(SelfTestEntity, SensorEntity):
    """How the last self-test ended."""

    entity_description = SensorEntityDescription(
        key="self_test", device_class=SensorDeviceClass.ENUM, options=list(Status)
    )
    _unrecorded_attributes = frozenset((*VERDICTS, *Status))

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the last report."""
        report = self.coordinator.data
        return report["status"] if report else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return what the report says in short."""
        if (report := self.coordinator.data) is None:
            return None
        return {**{name: report[name] for name in VERDICTS}, **report["summary"]}
