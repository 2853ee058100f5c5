"""Temporary sessions."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import LOGGER, TASK_SESSION_PREFIX
from ..coordinator import async_create_background_task, find_runtime, get_runtime
from ..gateway import ConnectionState, GatewayError, RequestFailedError
from ..util.domain_data import get_domain_data
from .sessions import find_sessions, get_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from ..coordinator import ClawdConfigEntry, ClawdRuntime
    from ..gateway import FoundSession, Transition

# Seconds between the attempts.
DELAYS: Final = (0.0, 1.0, 5.0)
CLEANUP_TASK: Final = "clawd session cleanup"

# Keys of the sessions in use. A drill reloads the entry between two turns of a task.
_IN_USE: Final[HassKey[set[str]]] = HassKey("throwaway_sessions")


@asynccontextmanager
async def throwaway_session(
    hass: HomeAssistant, entry: ClawdConfigEntry, agent: str
) -> AsyncGenerator[str]:
    """Return a new session, deleted afterwards."""
    key = f"agent:{agent.lower()}:{own_prefix(entry)}{uuid4().hex}"
    in_use = get_domain_data(entry).setdefault(_IN_USE, set())
    in_use.add(key)
    try:
        yield key
    finally:
        in_use.discard(key)
        if sessions := find_sessions(entry):
            sessions.forget(key)
        # Includes sessions of tasks ended while disconnected.
        async_delete_later(hass, entry, (key,))


def own_prefix(entry: ClawdConfigEntry) -> str:
    """Return the key prefix of an entry's sessions."""
    return f"{TASK_SESSION_PREFIX}{sha256(entry.entry_id.encode()).hexdigest()[:8]}-"


def is_in_use(entry: ConfigEntry[Any], key: str) -> bool:
    """Return whether a task uses a session."""
    return key in get_domain_data(entry).get(_IN_USE, ())


def count_in_use(entry: ConfigEntry[Any]) -> int:
    """Return the number of sessions in use."""
    return len(get_domain_data(entry).get(_IN_USE, ()))


async def async_find_unused(entry: ClawdConfigEntry) -> tuple[FoundSession, ...]:
    """Return the unused sessions at the Gateway.

    Raises:
        GatewayError: the Gateway did not answer, or refused.

    """
    found = await entry.runtime_data.client.sessions.search(own_prefix(entry))
    in_use = get_domain_data(entry).get(_IN_USE, set())
    return tuple(session for session in found if session.key not in in_use)


@callback
def async_track_unused(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> Callable[[], None]:
    """Delete unused sessions; return the unsubscribe.

    Home Assistant may have ended in the middle of a task, and tasks may end without a
    connection.
    """
    if can_delete(entry):
        async_create_background_task(
            hass, entry, _async_delete_unused(entry, entry.runtime_data), CLEANUP_TASK
        )
    return entry.runtime_data.client.subscribe_state(
        partial(_async_handle_transition, hass, entry)
    )


@callback
def _async_handle_transition(
    hass: HomeAssistant, entry: ClawdConfigEntry, transition: Transition
) -> None:
    if transition.state is ConnectionState.CONNECTED:
        async_delete_later(hass, entry)


async def _async_delete_unused(entry: ClawdConfigEntry, runtime: ClawdRuntime) -> None:
    """Delete the sessions of earlier setups."""
    try:
        unused = await async_find_unused(entry)
    except GatewayError as err:
        LOGGER.debug("Sessions not found: %s", err.code)
        # The traceback would keep a lost connection alive.
        err.with_traceback(None)
    else:
        runtime.ended_sessions.update(session.key for session in unused)
    await _async_delete_sessions(entry, runtime)


@callback
def can_delete(entry: ClawdConfigEntry) -> bool:
    """Return whether sessions can be deleted."""
    hello = entry.runtime_data.client.hello
    return hello is None or hello.can_delete_sessions


@callback
def async_delete_later(
    hass: HomeAssistant, entry: ClawdConfigEntry, keys: Iterable[str] = ()
) -> None:
    """Delete sessions in the background.

    With those of earlier setups. The next setup of an entry that is unloaded finds
    them.
    """
    runtime = find_runtime(entry)
    if runtime is None or not can_delete(entry):
        return
    runtime.ended_sessions.update(keys)
    if runtime.ended_sessions:
        async_create_background_task(
            hass, entry, _async_delete_sessions(entry, runtime), CLEANUP_TASK
        )


async def async_delete_idle(entry: ClawdConfigEntry, key: str) -> bool:
    """Delete an idle session.

    Return whether it was deleted. A busy one is left: OpenClaw aborts the runs of a
    session that is deleted.

    Raises:
        GatewayError: the Gateway did not answer, or refused.

    """
    runtime, sessions = get_runtime(entry), get_sessions(entry)
    turn = runtime.session_turn(key)
    handed_off = sessions.handed_off
    if turn.locked() or handed_off is None or key in handed_off:
        return False
    async with turn:
        await runtime.client.sessions.delete(key)
        sessions.forget(key)
    LOGGER.debug("Session deleted")
    runtime.ended_sessions.discard(key)
    return True


async def _async_delete_sessions(
    entry: ClawdConfigEntry, runtime: ClawdRuntime
) -> None:
    for delay in DELAYS:
        await asyncio.sleep(delay)
        for key in sorted(runtime.ended_sessions):
            try:
                await async_delete_idle(entry, key)
            except RequestFailedError as err:
                LOGGER.debug("Session not deleted: %s", err.code)
            except GatewayError as err:
                LOGGER.debug("Session not deleted: %s", err.code)
                return
        if not runtime.ended_sessions:
            return
