"""Visibility of published tools."""

from datetime import datetime
import json
import shlex
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..const import LOGGER
from ..gateway import PLUGIN_ID, GatewayError, RequestFailedError, ToolPolicy
from ..issues.registry import Issue, async_create_issue, async_delete_issue
from .prefix import tool_prefix
from .service import get_home
from .tools import HOME_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..coordinator import ClawdConfigEntry
    from ..runtime.node import NodeRuntime

# Profiles that show no tools of plugins; OpenClaw wrote `coding` until 2026.7.
HIDING_PROFILES: Final = ("coding", "messaging", "minimal")
ALL_PLUGINS: Final = "group:plugins"
# Seconds; the Gateway sends no event for a changed configuration.
RECHECK_INTERVAL: Final = 300.0


@callback
def async_track_visibility(
    hass: HomeAssistant, entry: ClawdConfigEntry, node: NodeRuntime
) -> Callable[[], None]:
    """Track the visibility of published tools.

    Checks after each publication, and again while hidden. Return the unsubscribe.
    """
    cancel_recheck: Callable[[], None] | None = None
    unsubscribed = False

    async def async_check() -> None:
        nonlocal cancel_recheck
        visible = await async_check_visible(hass, entry)
        if visible or cancel_recheck or unsubscribed:
            return
        cancel_recheck = async_call_later(hass, RECHECK_INTERVAL, recheck)

    @callback
    def recheck(_: datetime | None = None) -> None:
        nonlocal cancel_recheck
        cancel_recheck = None
        node.client.spawn(async_check(), "visibility")

    @callback
    def published() -> None:
        if node.host.published:
            node.client.spawn(async_check(), "visibility")

    unsubscribe_host = node.host.subscribe(published)

    @callback
    def unsubscribe() -> None:
        nonlocal unsubscribed
        unsubscribed = True
        unsubscribe_host()
        if cancel_recheck:
            cancel_recheck()

    return unsubscribe


async def async_check_visible(hass: HomeAssistant, entry: ClawdConfigEntry) -> bool:
    """Check the visibility and update its issue.

    Return False if the Gateway's configuration hides the tools.
    """
    try:
        policy = await entry.runtime_data.client.tools.policy()
        visible = await _async_is_visible(entry, policy)
    except GatewayError as err:
        LOGGER.debug("Visibility of the tools not known: %s", err.code)
        return True
    LOGGER.debug("Published tools are %s to agents", "visible" if visible else "hidden")
    if visible:
        async_delete_issue(hass, entry, Issue.HOME_TOOLS_HIDDEN)
    else:
        allowed = json.dumps([*dict.fromkeys((*policy.also_allow, PLUGIN_ID))])
        command = f"openclaw config set tools.alsoAllow {shlex.quote(allowed)}"
        placeholders = {"command": command}
        async_create_issue(hass, entry, Issue.HOME_TOOLS_HIDDEN, placeholders)
    return visible


async def _async_is_visible(entry: ClawdConfigEntry, policy: ToolPolicy) -> bool:
    tools, home = entry.runtime_data.client.tools, get_home(entry)
    if home and (session := home.origins.last_session):
        try:
            effective = await tools.effective(session)
        except RequestFailedError as err:
            LOGGER.debug("Tools of a session not known: %s", err.code)
        else:
            return bool(effective.of_plugin(PLUGIN_ID))
    allowed = {PLUGIN_ID, ALL_PLUGINS, f"{tool_prefix(entry)}{HOME_STATE}"}
    return policy.profile not in HIDING_PROFILES or bool(
        allowed & set(policy.also_allow)
    )
