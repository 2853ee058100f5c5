"""Settings of sessions on the Gateway."""

import asyncio
from typing import TYPE_CHECKING, Final

from homeassistant.const import CONF_MODEL

from ..const import CONF_AGENT, LOGGER
from ..gateway import RequestFailedError
from .errors import translated_error
from .rights import Rights
from .sessions import AppliedSettings, ChosenSession, get_sessions

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.exceptions import HomeAssistantError

    from ..coordinator import ClawdConfigEntry
    from ..gateway import GatewayClient

# Seconds until a permission mode is set again: others may delete the session, and its
# successor has none. Not for each question, as it costs a request.
MAX_MODE_AGE: Final = 60.0
# Seconds to wait before each repetition. OpenClaw refuses its first requests with
# `UNAVAILABLE` for about a second after a start; a run is repeated by the client.
RETRY_DELAYS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


async def async_set_session(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, session: ChosenSession
) -> None:
    """Set rights and model of a session.

    Once per connection.

    Raises:
        HomeAssistantError: the Gateway did not restrict the session.
        GatewayError: the Gateway refused, or there is no connection.

    """
    client, sessions = entry.runtime_data.client, get_sessions(entry)
    key = session.key
    hello = client.hello
    if hello and not hello.has_session_settings:
        return
    applied = sessions.applied.get(key)
    connection = client.statistics.connects
    mode = _permission_mode(entry, subentry, session.rights)
    current = applied if applied and applied.connection == connection else None
    age = sessions.clock() - current.at if current else 0.0
    changes: dict[str, str | None] = {}
    model = subentry.data.get(CONF_MODEL)
    if model and not (current and current.model == model):
        changes["model"] = model
    if mode is None:
        # Only what was set here is restored: the owner may have set another one.
        known = sessions.known.get(key)
        due = known is not None and known.mode is not None
    else:
        due = not current or current.mode != mode or age > MAX_MODE_AGE
    if due:
        changes["permission_mode"] = mode
    if not changes:
        return
    await _async_patch(entry, subentry, key, changes)
    model = model or (current.model if current else None)
    at = sessions.clock() if due or current is None else current.at
    sessions.apply(key, AppliedSettings(connection, model, mode, at))
    sessions.set_mode(key, mode)


def _permission_mode(
    entry: ClawdConfigEntry, subentry: ConfigSubentry, rights: Rights
) -> str | None:
    """Return the permission mode for some rights.

    None if the Gateway decides.
    """
    agent = entry.runtime_data.coordinator.agents.get(subentry.data[CONF_AGENT])
    least = Rights.READ_ONLY.permission_mode
    # A mode of the session replaces that of the agent, which may be stricter.
    if rights is Rights.GUARDED and agent and agent.permission_mode == least:
        return least
    return rights.permission_mode


async def _async_patch(
    entry: ClawdConfigEntry,
    subentry: ConfigSubentry,
    key: str,
    changes: dict[str, str | None],
) -> None:
    """Patch a session and verify its restriction."""
    mode = changes.get("permission_mode")
    try:
        confirmed = await async_patch_session(entry.runtime_data.client, key, changes)
    except RequestFailedError as err:
        if mode is None or err.retryable:
            raise
        if len(changes) > 1:
            # The Gateway may have refused the model.
            await _async_patch(entry, subentry, key, {"permission_mode": mode})
            raise
        raise _refused(subentry) from err
    LOGGER.debug("Settings of a session changed: %s", ", ".join(sorted(changes)))
    if mode is not None and confirmed != mode:
        raise _refused(subentry)


async def async_patch_session(
    client: GatewayClient, key: str, changes: dict[str, str | None]
) -> str | None:
    """Patch a session; return the resulting permission mode.

    Again, if the Gateway is unavailable.

    Raises:
        GatewayError: the Gateway refused, or there is no connection.

    """
    for delay in RETRY_DELAYS:
        try:
            return await client.sessions.patch(key, **changes)
        except RequestFailedError as err:
            if not err.retryable:
                raise
            await asyncio.sleep(delay)
    return await client.sessions.patch(key, **changes)


def _refused(subentry: ConfigSubentry) -> HomeAssistantError:
    return translated_error("permission_refused", agent=subentry.title)
