"""Offer of home access to existing entries."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from ..const import CONF_HOME_ACCESS, CONF_OFFER_HOME
from ..gateway import takes_tools
from ..issues.registry import Issue, async_create_issue, async_delete_issue
from .settings import HomeAccess, agent_homes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry


@callback
def async_track_home_offer(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> Callable[[], None]:
    """Offer the home once supported.

    Return the unsubscribe.
    """
    coordinator = entry.runtime_data.coordinator

    @callback
    def update() -> None:
        if not coordinator.connected:
            return
        undecided = entry.data.get(CONF_OFFER_HOME) is True and all(
            home.access is HomeAccess.NONE for home in agent_homes(entry)
        )
        if undecided and takes_tools(coordinator.client.hello):
            async_create_issue(hass, entry, Issue.HOME_OFFERED, {})
        else:
            async_delete_issue(hass, entry, Issue.HOME_OFFERED)

    update()
    return coordinator.async_add_listener(update)


@callback
def async_set_home_access(
    hass: HomeAssistant, entry: ClawdConfigEntry, access: HomeAccess
) -> None:
    """Set the access of all agents.

    The offer is closed.
    """
    async_delete_issue(hass, entry, Issue.HOME_OFFERED)
    for home in agent_homes(entry):
        subentry = entry.subentries[home.subentry_id]
        settings = {**subentry.data, CONF_HOME_ACCESS: access.value}
        hass.config_entries.async_update_subentry(entry, subentry, data=settings)
    data = {key: entry.data[key] for key in entry.data if key != CONF_OFFER_HOME}
    hass.config_entries.async_update_entry(entry, data=data)
