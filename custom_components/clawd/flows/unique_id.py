"""Unique id of a config entry."""

from typing import TYPE_CHECKING, Any

from ..const import DOMAIN
from ..error_mapping import setup_error
from ..gateway import INSTALLATION, GatewayClient, GatewayError

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant


async def async_update_unique_id(
    hass: HomeAssistant, entry: ConfigEntry[Any], client: GatewayClient
) -> None:
    """Set the unique id of an entry.

    Raises:
        HomeAssistantError: as `setup_error`; the Gateway's id is unknown.

    """
    # Clawdbot (v3) has no id of its own; ours starts with `installation:`. After its
    # update to OpenClaw (v4) the Gateway has one.
    if entry.unique_id and not entry.unique_id.startswith(INSTALLATION):
        return
    try:
        gateway_id = await client.fetch_id()
    except GatewayError as err:
        raise setup_error(err) from err
    unique_id = resolve_unique_id(hass, entry, gateway_id)
    hass.config_entries.async_update_entry(entry, unique_id=unique_id)


def resolve_unique_id(
    hass: HomeAssistant, entry: ConfigEntry[Any], gateway_id: str
) -> str | None:
    """Return the new unique id, unless in use."""
    entries = hass.config_entries
    known = entries.async_entry_for_domain_unique_id(DOMAIN, gateway_id)
    return gateway_id if known in (None, entry) else entry.unique_id
