"""The bases of the entities of a Gateway."""

from typing import override

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, EntityCategory
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import ClawdConfigEntry, ClawdCoordinator
from .selftest.history import ReportHistory


class ClawdEntity[CoordinatorT: ClawdCoordinator | ReportHistory](
    CoordinatorEntity[CoordinatorT]
):
    """An entity of a Gateway's device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: CoordinatorT, key: str) -> None:
        """Belong to the Gateway's device."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{key}"
        self._attr_device_info = _device_info(entry)


class GatewayEntity(ClawdEntity[ClawdCoordinator]):
    """An entity that is available while the Gateway is connected."""

    @property
    @override
    def available(self) -> bool:
        """Return whether the Gateway is connected."""
        return self.coordinator.connected


class SelfTestEntity(ClawdEntity[ReportHistory]):
    """An entity of the self-test, which does without a connection."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "self_test"

    def __init__(self, reports: ReportHistory) -> None:
        """Follow the reports."""
        super().__init__(reports, "self_test")


def _device_info(entry: ClawdConfigEntry) -> DeviceInfo:
    hello = entry.runtime_data.client.hello
    scheme = "https" if entry.data[CONF_SSL] else "http"
    return DeviceInfo(
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
