"""Devices of Gateways and agents."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.components.device_automation import InvalidDeviceAutomationConfig
from homeassistant.const import CONF_DEVICE_ID, CONF_DOMAIN, CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
import voluptuous as vol

from ..const import DOMAIN, SUBENTRY_CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.helpers.typing import ConfigType, VolDictType

    from ..coordinator import ClawdConfigEntry


@dataclass(frozen=True, slots=True)
class GatewayDevice:
    """Device of a Gateway."""

    entry: ClawdConfigEntry


@dataclass(frozen=True, slots=True)
class AgentDevice:
    """Device of a conversation agent."""

    entry: ClawdConfigEntry
    subentry: ConfigSubentry


@callback
def async_get_device(
    hass: HomeAssistant, device_id: str
) -> GatewayDevice | AgentDevice | None:
    """Return the Gateway or agent of a device."""
    if (device := dr.async_get(hass).async_get(device_id)) is None:
        return None
    ids = {name for domain, name in device.identifiers if domain == DOMAIN}
    entries: list[ClawdConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    for entry in entries:
        if entry.entry_id in ids:
            return GatewayDevice(entry)
        for subentry in entry.subentries.values():
            is_agent = subentry.subentry_type == SUBENTRY_CONVERSATION
            if is_agent and subentry.subentry_id in ids:
                return AgentDevice(entry, subentry)
    return None


@callback
def async_find_device_id(
    hass: HomeAssistant, entry: ClawdConfigEntry, identifier: str
) -> str | None:
    """Return the device id of an identifier."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next(
        (one.id for one in devices if (DOMAIN, identifier) in one.identifiers), None
    )


class AutomationTypes:
    """Types of device automations, by kind of device."""

    def __init__(self, of_gateway: Iterable[str], of_agent: Iterable[str]) -> None:
        """Initialize with the types that each kind offers."""
        self._of_gateway = tuple(map(str, of_gateway))
        self._of_agent = tuple(map(str, of_agent))

    @property
    def schema(self) -> VolDictType:
        """Return the schema of the type."""
        return {vol.Required(CONF_TYPE): vol.In(self._of_agent + self._of_gateway)}

    @callback
    def async_validate(self, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Return a configuration whose device offers its type.

        Raises:
            InvalidDeviceAutomationConfig: the device does not offer it.

        """
        if config[CONF_TYPE] not in self._async_get(hass, config[CONF_DEVICE_ID]):
            raise InvalidDeviceAutomationConfig(
                translation_domain=DOMAIN,
                translation_key="type_not_offered",
                translation_placeholders={"type": config[CONF_TYPE]},
            )
        return config

    @callback
    def async_list(
        self, hass: HomeAssistant, device_id: str, key: str
    ) -> list[dict[str, str]]:
        """Return the automations of a device; `key` names their platform."""
        return [
            {
                key: "device",
                CONF_DOMAIN: DOMAIN,
                CONF_DEVICE_ID: device_id,
                CONF_TYPE: kind,
            }
            for kind in self._async_get(hass, device_id)
        ]

    @callback
    def _async_get(self, hass: HomeAssistant, device_id: str) -> tuple[str, ...]:
        match async_get_device(hass, device_id):
            case GatewayDevice():
                return self._of_gateway
            case AgentDevice():
                return self._of_agent
        return ()
