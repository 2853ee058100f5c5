"""Sensors of a Gateway."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.util.dt import utc_from_timestamp

from .entity import ConnectionEntity, SelfTestEntity
from .gateway import ConnectionState
from .reports import Status, suspects_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry, ClawdCoordinator

PARALLEL_UPDATES = 0

SUMMARY_KEYS: Final = ("liveness", "readiness", "mode", "started_at")
ATTR_SUSPECTS: Final = "suspects"


@dataclass(frozen=True, kw_only=True)
class ConnectionSensorDescription(SensorEntityDescription):
    """Description of a connection sensor."""

    value_fn: Callable[[ClawdCoordinator], str | datetime | None]


def _last_disconnect(coordinator: ClawdCoordinator) -> datetime | None:
    lost = coordinator.last_disconnect
    return utc_from_timestamp(lost.at) if lost else None


CONNECTION_SENSORS: Final = (
    ConnectionSensorDescription(
        key="connection_state",
        translation_key="connection_state",
        device_class=SensorDeviceClass.ENUM,
        options=list(ConnectionState),
        entity_registry_enabled_default=False,
        value_fn=lambda coordinator: coordinator.data,
    ),
    ConnectionSensorDescription(
        key="last_disconnect",
        translation_key="last_disconnect",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_registry_enabled_default=False,
        value_fn=_last_disconnect,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of an entry."""
    runtime = entry.runtime_data
    async_add_entities(
        [
            *(
                ConnectionSensor(runtime.coordinator, description)
                for description in CONNECTION_SENSORS
            ),
            SelfTestSensor(runtime.reports),
        ]
    )


class ConnectionSensor(ConnectionEntity, SensorEntity):
    """Sensor of the connection."""

    entity_description: ConnectionSensorDescription

    def __init__(
        self, coordinator: ClawdCoordinator, description: ConnectionSensorDescription
    ) -> None:
        """Initialize the sensor."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> str | datetime | None:
        """Return the current value."""
        return self.entity_description.value_fn(self.coordinator)


class SelfTestSensor(SelfTestEntity, SensorEntity):
    """Sensor of the last self-test."""

    entity_description = SensorEntityDescription(
        key="self_test", device_class=SensorDeviceClass.ENUM, options=list(Status)
    )
    _unrecorded_attributes = frozenset((*SUMMARY_KEYS, ATTR_SUSPECTS, *Status))

    @property
    @override
    def native_value(self) -> str | None:
        """Return the status of the last report."""
        report = self.coordinator.data
        return report["status"] if report else None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return the summary of the last report."""
        if (report := self.coordinator.data) is None:
            return None
        return {
            **{name: report[name] for name in SUMMARY_KEYS},
            ATTR_SUSPECTS: suspects_of(report),
            **report["summary"],
        }
