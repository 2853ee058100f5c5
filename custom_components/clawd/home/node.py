"""Node of an entry."""

from typing import TYPE_CHECKING

from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.start import async_at_started

from ..client_factory import (
    async_get_node_credentials,
    get_node_history,
    new_node_client,
)
from ..const import LOGGER
from ..gateway import GatewayError, NodeHost, error_name, takes_tools
from ..issues.registry import Issue, async_create_issue
from ..runtime.counts import count_events
from ..runtime.node import NodeRuntime
from ..storage import DeviceTokenStore
from ..util.subscriptions import combine_unsubscribes
from .approval import ApprovalTracker
from .prefix import async_avoid_name_conflicts, tool_prefix
from .visibility import async_track_visibility

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry
    from ..gateway import Credentials, Endpoint
    from .service import HomeService


async def async_start_node(
    hass: HomeAssistant, entry: ClawdConfigEntry, endpoint: Endpoint, home: HomeService
) -> Callable[[], None]:
    """Start the node; return the stop function.

    It connects on its own: nothing waits for it, and its failure is not the entry's.
    """
    if not takes_tools(entry.runtime_data.client.hello):
        LOGGER.debug("The Gateway cannot offer the home to its agents")
        return _async_reload_once_possible(hass, entry)
    try:
        credentials = await _async_get_credentials(hass, entry, endpoint)
    except (OSError, HomeAssistantError) as err:
        LOGGER.warning("The node cannot be started: %s", error_name(err))
        async_create_issue(hass, entry, Issue.NODE_KEY_UNREADABLE, {})
        return _nothing
    await _async_choose_prefix(hass, entry, credentials.identity.device_id)
    prefix = tool_prefix(entry)
    history = get_node_history(hass, entry.entry_id)
    client = new_node_client(endpoint, credentials, entry.options, history)
    host = NodeHost(client, home.async_handle, prefix=prefix)
    entry.runtime_data.node = node = NodeRuntime(
        client, host, credentials, events_before=count_events(client)
    )
    unsubscribe = combine_unsubscribes(
        host.start(),
        _async_track_ready(hass, host),
        ApprovalTracker(hass, entry, node).async_start(),
        async_track_visibility(hass, entry, node),
    )
    home.async_attach(host, prefix)
    entry.async_create_background_task(hass, client.run(), "clawd node run")
    return unsubscribe


async def _async_get_credentials(
    hass: HomeAssistant, entry: ClawdConfigEntry, endpoint: Endpoint
) -> Credentials:
    on_error = get_node_history(hass, entry.entry_id).store_failed
    tokens = DeviceTokenStore(
        hass, entry.entry_id, endpoint.origin, on_error, node=True
    )
    return await async_get_node_credentials(hass, entry.data, tokens, entry.entry_id)


async def _async_choose_prefix(
    hass: HomeAssistant, entry: ClawdConfigEntry, node_id: str
) -> None:
    """Choose a prefix if names are taken.

    Before the names are published.
    """
    try:
        nodes = await entry.runtime_data.client.nodes.list()
    except GatewayError as err:
        LOGGER.debug("Other nodes not known: %s", err.code)
    else:
        async_avoid_name_conflicts(hass, entry, node_id, nodes)


@callback
def _async_track_ready(hass: HomeAssistant, host: NodeHost) -> Callable[[], None]:
    """Track whether Home Assistant runs.

    Return the unsubscribe.
    """

    @callback
    def started(_: HomeAssistant) -> None:
        host.ready = True

    @callback
    def stopping(_: object) -> None:
        host.ready = False

    host.ready = hass.state is CoreState.running
    return combine_unsubscribes(
        async_at_started(hass, started),
        hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, stopping),
    )


@callback
def _async_reload_once_possible(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> Callable[[], None]:
    """Reload the entry after a Gateway update.

    Return the unsubscribe.
    """
    coordinator = entry.runtime_data.coordinator

    @callback
    def update() -> None:
        if takes_tools(coordinator.client.hello):
            hass.config_entries.async_schedule_reload(entry.entry_id)

    return coordinator.async_add_listener(update)


def _nothing() -> None:
    """Do nothing."""
