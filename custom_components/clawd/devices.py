"""The devices of an entry: its Gateway, and one for each agent."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .entity import agent_device_info, gateway_device_info

if TYPE_CHECKING:
    from .coordinator import ClawdConfigEntry


@callback
def async_create_devices(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Let the agents' devices hang on the Gateway's, before there are entities."""
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
