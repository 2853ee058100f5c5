"""Base entities and devices of an entry."""

from typing import override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import (
    CONF_HOST,
    CONF_MODEL,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    EntityCategory,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from yarl import URL

from .const import CONF_AGENT, DOMAIN, MODELS
from .coordinator import ClawdConfigEntry, ClawdCoordinator
from .runtime.report_history import ReportHistory
from .runtime.speech import SpeechCoordinator


class ClawdEntity[CoordinatorT: ClawdCoordinator | ReportHistory | SpeechCoordinator](
    CoordinatorEntity[CoordinatorT]
):
    """Entity of the Gateway's device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: CoordinatorT, key: str) -> None:
        """Initialize the entity."""
        super().__init__(coordinator)
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{key}"
        self._attr_device_info = gateway_device_info(entry)


class AgentEntity(CoordinatorEntity[ClawdCoordinator]):
    """Entity of an agent's device."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: ClawdCoordinator, subentry: ConfigSubentry) -> None:
        """Initialize the entity."""
        super().__init__(coordinator)
        self.subentry = subentry
        self._attr_unique_id = subentry.subentry_id
        self._attr_device_info = agent_device_info(coordinator.config_entry, subentry)

    @property
    @override
    def available(self) -> bool:
        """Return whether the Gateway is connected."""
        return self.coordinator.connected


class ConnectionEntity(ClawdEntity[ClawdCoordinator]):
    """Entity of the connection, always available."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC


class SelfTestEntity(ClawdEntity[ReportHistory]):
    """Entity of the self-test."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "self_test"

    def __init__(self, reports: ReportHistory) -> None:
        """Initialize the entity."""
        super().__init__(reports, "self_test")


@callback
def async_create_devices(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Create the devices of Gateway and agents."""
    registry = dr.async_get(hass)
    gateway = registry.async_get_or_create(
        config_entry_id=entry.entry_id, **gateway_device_info(entry)
    )
    for subentry in entry.subentries.values():
        device = registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=subentry.subentry_id,
            **agent_device_info(entry, subentry),
        )
        registry.async_update_device(device.id, via_device_id=gateway.id)


def agent_device_info(entry: ClawdConfigEntry, subentry: ConfigSubentry) -> DeviceInfo:
    """Return the device info of an agent."""
    agent = entry.runtime_data.coordinator.agents.get(subentry.data[CONF_AGENT])
    return DeviceInfo(
        identifiers={(DOMAIN, subentry.subentry_id)},
        name=subentry.title,
        manufacturer="OpenClaw",
        model=subentry.data.get(CONF_MODEL) or (agent.model if agent else None),
        entry_type=DeviceEntryType.SERVICE,
    )


def gateway_device_info(entry: ClawdConfigEntry) -> DeviceInfo:
    """Return the device info of the Gateway."""
    hello = entry.runtime_data.client.hello
    return DeviceInfo(
        identifiers={(DOMAIN, entry.entry_id)},
        name=entry.title,
        manufacturer="OpenClaw",
        model=MODELS[hello.protocol] if hello else None,
        sw_version=hello.server_version if hello else None,
        entry_type=DeviceEntryType.SERVICE,
        configuration_url=URL.build(
            scheme="https" if entry.data[CONF_SSL] else "http",
            host=entry.data[CONF_HOST],
            port=entry.data[CONF_PORT],
            path=entry.data.get(CONF_PATH, ""),
        ),
    )
