"""Debug mode of asyncio in the unit tests."""

import asyncio

import pytest


async def test_call_from_other_thread_is_detected() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(RuntimeError, match="Non-thread-safe operation"):
        await asyncio.to_thread(lambda: loop.call_soon(int))
