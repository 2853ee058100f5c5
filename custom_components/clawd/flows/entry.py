"""Entry of a Gateway that a flow has set up."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .agent_schema import new_subentry
from .ai_task import new_ai_task
from .unique_id import resolve_unique_id

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigSubentryData

    from ..gateway import Agent
    from ..home.settings import HomeAccess
    from .setup import GatewaySetup


def new_subentries(
    agent: Agent | None, access: HomeAccess, *, create_assistant: bool
) -> list[ConfigSubentryData]:
    """Return the subentries of a new entry with its agent, if there is one."""
    if agent is None:
        return []
    return [
        new_subentry(agent.id, agent.name, access, create_assistant=create_assistant),
        new_ai_task(agent.id, agent.name),
    ]


@callback
def async_update_entry(
    hass: HomeAssistant, entry: ConfigEntry, setup: GatewaySetup, gateway_id: str
) -> None:
    """Update and reload an entry."""
    # The update listener of a loaded entry reloads it, but only after a change.
    # Checked before the update, which may unload the entry.
    reloads_itself = bool(entry.update_listeners)
    changed = hass.config_entries.async_update_entry(
        entry,
        unique_id=resolve_unique_id(hass, entry, gateway_id),
        data=setup.entry_data,
        options=setup.options,
    )
    if not (changed and reloads_itself):
        hass.config_entries.async_schedule_reload(entry.entry_id)
