"""Sessions for one task, deleted afterwards."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..const import LOGGER
from ..coordinator import async_create_background_task
from ..gateway import MIN_PROTOCOL, GatewayError, RequestFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry, ClawdRuntime

# Seconds between the attempts: a run that was stopped is active for a moment.
DELAYS: Final = (0.0, 1.0, 5.0)
CLEANUP_TASK: Final = "clawd session cleanup"
PREFIX: Final = "ha-task-"


@asynccontextmanager
async def throwaway_session(
    hass: HomeAssistant, entry: ClawdConfigEntry, agent: str
) -> AsyncGenerator[str]:
    """Return the key of a new session; it is deleted in the background."""
    key = f"agent:{agent.lower()}:{PREFIX}{uuid4().hex}"
    runtime = entry.runtime_data
    try:
        yield key
    finally:
        hello = runtime.client.hello
        # Clawdbot lets only an administrator delete a session.
        if hello is None or hello.protocol > MIN_PROTOCOL:
            runtime.ended_sessions.add(key)
            # Also those of tasks that ended without a connection.
            async_create_background_task(
                hass, entry, _async_delete_sessions(runtime), CLEANUP_TASK
            )


async def _async_delete_sessions(runtime: ClawdRuntime) -> None:
    for delay in DELAYS:
        await asyncio.sleep(delay)
        for key in sorted(runtime.ended_sessions):
            try:
                await runtime.client.sessions.delete(key)
            except RequestFailedError as err:
                LOGGER.debug("Session not deleted: %s", err.code)
            except GatewayError as err:
                LOGGER.debug("Session not deleted: %s", err.code)
                return
            else:
                runtime.ended_sessions.discard(key)
        if not runtime.ended_sessions:
            return
