"""Calls of tools, such as those to speak first."""

import asyncio
from collections.abc import Mapping
from itertools import count
import json
from typing import Any

import pytest

from custom_components.clawd.gateway import NodeCall, NodeCallError
from custom_components.clawd.gateway.models import Json

from .harness import SESSION, Home

ANNOUNCE, ASK, NOTIFY = "home_announce", "home_ask", "home_notify"


MAIN_CHAT = "agent:main:main"


_IDS = count()


reads_only = pytest.mark.parametrize("home_settings", [{"home_access": "read"}])


from_elsewhere = pytest.mark.parametrize(
    "home_settings", [{"from_elsewhere": "control"}]
)


def new_call(
    tool: str | None,
    arguments: dict[str, Json],
    key: str | None = SESSION,
    seconds: float = 5.0,
) -> NodeCall:
    """Return a call of a tool."""
    return NodeCall(str(next(_IDS)), tool, arguments, key, seconds)


async def handle(home: Home, call: NodeCall) -> Any:  # noqa: ANN401 - JSON
    """Return the data or error of a call."""
    try:
        result = await home.service.async_handle(call)
    except NodeCallError as err:
        return f"{err.code}: {err.message}"
    finally:
        await home.hass.async_block_till_done()
    return json.loads(result)["home_data"]


async def use(
    home: Home,
    tool: str,
    *,
    origin: Mapping[str, object] | None = None,
    **arguments: Json,
) -> Any:  # noqa: ANN401 - JSON
    """Call a tool in a run of its own."""
    with home.run(**dict(origin or {})):  # type: ignore[arg-type]
        return await handle(home, new_call(tool, arguments))


async def ended(home: Home) -> None:
    """Wait until no announcement is under way."""
    while tasks := home.entry.runtime_data.background_tasks:
        await asyncio.wait(tasks)


async def names(home: Home) -> list[str]:
    """Return the names of the tools that are offered now."""
    await home.service.async_update_tools()
    return [tool.name for tool in home.service.tools]
