"""Waits for a state that no event tells of."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_INTERVAL = 0.1
# Seconds in which a busy machine does what a test waits for, such as a reload.
TIMEOUT = 120.0


async def until[T](
    read: Callable[[], Awaitable[T]],
    wanted: Callable[[T], bool],
    timeout: float = TIMEOUT,
) -> T:
    """Read until it is as wanted."""
    async with asyncio.timeout(timeout):
        while not wanted(value := await read()):  # noqa: ASYNC110 - no event
            await asyncio.sleep(POLL_INTERVAL)
    return value
