"""Debug mode of asyncio."""

import asyncio

import pytest


async def test_debug_mode_follows_the_option(
    pytestconfig: pytest.Config,
) -> None:
    wanted = bool(pytestconfig.getoption("--asyncio-debug"))
    assert asyncio.get_running_loop().get_debug() is wanted
