"""Sessions for one task, deleted afterwards."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from ..coordinator import async_create_background_task
from ..gateway import MIN_PROTOCOL, GatewayError, RequestFailedError
from .sessions import get_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from ..coordinator import ClawdConfigEntry, ClawdRuntime

# Seconds between the attempts.
DELAYS: Final = (0.0, 1.0, 5.0)
CLEANUP_TASK: Final = "clawd session cleanup"
PREFIX: Final = "ha-task-"


@asynccontextmanager
async def throwaway_session(
    hass: HomeAssistant, entry: ClawdConfigEntry, agent: str
) -> AsyncGenerator[str]:
    """Return the key of a new session; it is deleted in the background."""
    key = f"agent:{agent.lower()}:{PREFIX}{uuid4().hex}"
    try:
        yield key
    finally:
        get_sessions(entry).forget(key)
        # Also those of tasks that ended without a connection.
        async_delete_later(hass, entry, (key,))


@callback
def can_delete(entry: ClawdConfigEntry) -> bool:
    """Return whether the Gateway may delete sessions, as far as known."""
    hello = entry.runtime_data.client.hello
    # Clawdbot lets only an administrator delete a session.
    return hello is None or hello.protocol > MIN_PROTOCOL


@callback
def async_delete_later(
    hass: HomeAssistant, entry: ClawdConfigEntry, keys: Iterable[str] = ()
) -> None:
    """Delete sessions in the background, with those that are left from before."""
    runtime = entry.runtime_data
    if not can_delete(entry):
        return
    runtime.ended_sessions.update(keys)
    if runtime.ended_sessions:
        async_create_background_task(
            hass, entry, _async_delete_sessions(entry, runtime), CLEANUP_TASK
        )


async def async_delete_idle(entry: ClawdConfigEntry, key: str) -> bool:
    """Delete a session unless somebody waits for a run in it; return whether it is.

    A busy one is left: OpenClaw aborts the runs of a session that is deleted.

    Raises:
        GatewayError: the Gateway did not answer, or refused.

    """
    runtime, sessions = entry.runtime_data, get_sessions(entry)
    turn = runtime.session_turn(key)
    handed_off = sessions.handed_off
    if turn.locked() or handed_off is None or key in handed_off:
        return False
    async with turn:
        await runtime.client.sessions.delete(key)
        sessions.forget(key)
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
