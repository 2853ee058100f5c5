"""The event loop of the unit tests is in asyncio's debug mode."""

import asyncio

import pytest


async def test_a_callback_from_another_thread_is_caught() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
        await asyncio.to_thread(lambda: loop.call_soon(int))
