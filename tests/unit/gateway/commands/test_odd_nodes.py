"""Invalid responses about nodes and tools."""

import pytest

from custom_components.clawd.gateway import InvalidFrameError, Node, ToolPolicy
from custom_components.clawd.gateway.commands import NodeCommands
from custom_components.clawd.gateway.commands.tools import AgentTool, EffectiveTools
from custom_components.clawd.gateway.models import Json, Payload


async def respond(
    method: str, params: Payload | None = None, timeout: float | None = None
) -> Json:
    """Answer any request with neither list nor object."""
    return {"pending": None, "sent": [method, params, timeout]}


async def test_list_of_requests() -> None:
    with pytest.raises(InvalidFrameError):
        await NodeCommands(respond).pairing_requests()


def test_node() -> None:
    node = Node.from_payload({"nodeId": "x", "commands": 1, "connected": 1})
    expected = Node("x", connected=False, approval="", commands=(), tools=())
    assert node == expected


def test_effective_tools() -> None:
    payload = {"groups": [None, {}, {"tools": [{"id": "a"}, {}, None]}]}
    assert EffectiveTools.from_payload(payload).tools == (AgentTool("a", ""),)


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"config": {}}, {"config": {"tools": {"alsoAllow": 1}}}],
)
def test_tool_policy(payload: Json) -> None:
    assert ToolPolicy.from_payload(payload) == ToolPolicy("", ())
