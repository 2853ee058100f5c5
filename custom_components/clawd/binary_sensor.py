"""Binary sensors of a Gateway."""

from typing import TYPE_CHECKING, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
)

from .entity import ConnectionEntity, SelfTestEntity
from .reports import FAILED_STATUSES

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the binary sensors of an entry."""
    runtime = entry.runtime_data
    async_add_entities(
        [
            ConnectivityBinarySensor(runtime.coordinator, "connectivity"),
            SelfTestBinarySensor(runtime.reports),
        ]
    )


class ConnectivityBinarySensor(ConnectionEntity, BinarySensorEntity):
    """Connectivity of the Gateway."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the Gateway is connected."""
        return self.coordinator.connected


class SelfTestBinarySensor(SelfTestEntity, BinarySensorEntity):
    """Problem found by the last self-test."""

    _attr_device_class = BinarySensorDeviceClass.PROBLEM

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the last self-test failed."""
        report = self.coordinator.data
        return report["status"] in FAILED_STATUSES if report else None
