"""Devices of Gateways and agents."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.components.device_automation import InvalidDeviceAutomationConfig
from homeassistant.const import CONF_TYPE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..const import DOMAIN, SUBENTRY_CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.helpers.typing import ConfigType

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


@callback
def async_get_types(
    hass: HomeAssistant,
    device_id: str,
    *,
    of_gateway: Iterable[str],
    of_agent: Iterable[str],
) -> list[str]:
    """Return the types offered by a device."""
    match async_get_device(hass, device_id):
        case GatewayDevice():
            return [*map(str, of_gateway)]
        case AgentDevice():
            return [*map(str, of_agent)]
    return []


def require_type(config: ConfigType, offered: Iterable[str]) -> None:
    """Validate the type of a device automation.

    Raises:
        InvalidDeviceAutomationConfig: the device does not offer it.

    """
    if config[CONF_TYPE] not in offered:
        raise InvalidDeviceAutomationConfig(
            translation_domain=DOMAIN,
            translation_key="type_not_offered",
            translation_placeholders={"type": config[CONF_TYPE]},
        )
