"""asyncio's debug mode is slow, and left to PYTHONASYNCIODEBUG."""

import asyncio
import os


async def test_debug_mode_is_on_only_when_it_is_asked_for() -> None:
    wanted = bool(os.environ.get("PYTHONASYNCIODEBUG"))
    assert asyncio.get_running_loop().get_debug() is wanted
