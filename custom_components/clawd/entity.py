"""The base of the entities of a Gateway."""

from typing import override

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import ClawdCoordinator


class ClawdEntity(CoordinatorEntity[ClawdCoordinator]):
    """An entity of a Gateway, available while it is connected."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: ClawdCoordinator, key: str) -> None:
        """Belong to the Gateway's device."""
        super().__init__(coordinator)
        entry, hello = coordinator.config_entry, coordinator.client.hello
        scheme = "https" if entry.data[CONF_SSL] else "http"
        self._attr_unique_id = f"{entry.entry_id}_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            name=entry.title,
            manufacturer="OpenClaw",
            model="Gateway",
            sw_version=hello.server_version if hello else None,
            entry_type=DeviceEntryType.SERVICE,
            configuration_url=(
                f"{scheme}://{entry.data[CONF_HOST]}:{entry.data[CONF_PORT]}"
            ),
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the Gateway is connected."""
        return self.coordinator.connected
