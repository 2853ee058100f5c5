"""Tool calls and results of agent runs."""

import asyncio

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    Part,
    RunRequest,
    ToolCall,
    ToolResult,
)
from custom_components.clawd.gateway.models import Payload
from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.recordings import recording
from tests.unit.clients import connected
from tests.unit.run_harness import RunHarness

KEY = "agent:main:ha-test"
CALL = {"phase": "start", "name": "ls", "toolCallId": "1", "args": {"path": "."}}
RESULT = {"phase": "result", "name": "ls", "toolCallId": "1", "result": {"content": []}}


@pytest.fixture
async def harness() -> RunHarness:
    """Return a run with tool parts."""
    harness = RunHarness(include_tools=True)
    await harness.start()
    return harness


async def read_all(run: AgentRun) -> list[Part]:
    """Read all parts of a run."""
    return [part async for part in run.parts()]


def replay(harness: RunHarness, name: str) -> None:
    """Send the events of a recorded protocol 4 run."""
    for line in recording(4, name):
        match line.get("frame"):
            case {"event": "agent", "payload": payload}:
                harness.send_event(payload["stream"], payload["data"])


async def test_tool_parts_keep_their_position(harness: RunHarness) -> None:
    replay(harness, "agent_run_text_tool_text")
    await harness.end()
    first, call, result, last = await read_all(harness.run)
    assert first == "Let me look that up."
    assert call == ToolCall("call_1", "tool_search", {"query": "light"})
    assert isinstance(result, ToolResult)
    assert (result.id, result.name, result.is_error) == (call.id, call.name, False)
    assert result.result["content"][0]["type"] == "text"
    assert isinstance(last, str)
    assert last.startswith("\n\nTool said:")


async def test_tool_parts_are_not_text(harness: RunHarness) -> None:
    harness.send_event("tool", CALL)
    await harness.end()
    assert [text async for text in harness.run] == []


async def test_text_iteration_skips_tool_parts(harness: RunHarness) -> None:
    harness.send_text("One")
    harness.send_event("tool", CALL)
    harness.send_event("tool", RESULT)
    harness.send_text("Two")
    await harness.end("Two")
    assert "".join([text async for text in harness.run]) == "One\n\nTwo"


async def test_tool_parts_are_opt_in() -> None:
    harness = RunHarness()
    await harness.start()
    replay(harness, "agent_run_tool")
    await harness.end()
    assert all(isinstance(part, str) for part in await read_all(harness.run))


async def test_tool_part_is_emitted_immediately(harness: RunHarness) -> None:
    parts = aiter(harness.run.parts())
    next_part = asyncio.ensure_future(anext(parts))
    await asyncio.sleep(0)
    harness.send_event("tool", CALL)
    assert await next_part == ToolCall("1", "ls", {"path": "."})
    await harness.end()


async def test_tool_part_is_emitted_once(harness: RunHarness) -> None:
    harness.send_event("tool", CALL, seq=1)
    harness.send_event("tool", CALL, seq=1)
    harness.send_event("tool", RESULT, seq=2)
    await harness.end()
    assert len(await read_all(harness.run)) == 2


async def test_call_without_result_gets_error_result(harness: RunHarness) -> None:
    harness.send_event("tool", CALL)
    await harness.end("Done")
    call, text, result = await read_all(harness.run)
    assert (call, text) == (ToolCall("1", "ls", {"path": "."}), "Done")
    assert result == ToolResult("1", "ls", None, is_error=True)


async def test_call_gets_one_result_after_end(harness: RunHarness) -> None:
    harness.send_event("tool", CALL)
    harness.run.stream.buffer()
    harness.send_event("tool", RESULT)
    await harness.end()
    harness.run.stream.replay_history(())
    _, *results = await read_all(harness.run)
    assert results == [ToolResult("1", "ls", None, is_error=True)]


async def test_failed_call_has_error_result(harness: RunHarness) -> None:
    harness.send_event("tool", CALL)
    harness.send_event("tool", {**RESULT, "isError": True})
    await harness.end()
    _, result = await read_all(harness.run)
    assert isinstance(result, ToolResult)
    assert result.is_error


@pytest.mark.parametrize(
    "data",
    [
        RESULT,
        {},
        {"phase": "start"},
        {"phase": "start", "name": 1, "toolCallId": "1"},
        {"phase": "update", "name": "ls", "toolCallId": "1"},
    ],
)
async def test_invalid_tool_event_is_ignored(
    harness: RunHarness, data: Payload
) -> None:
    harness.send_event("tool", data)
    await harness.end()
    assert await read_all(harness.run) == []


async def test_tool_part_repr_hides_content(harness: RunHarness) -> None:
    harness.send_event("tool", {**CALL, "args": {"secret": "hush"}})
    harness.send_event("tool", {**RESULT, "result": "hush"})
    await harness.end()
    assert "hush" not in repr(await read_all(harness.run))


async def test_tool_parts_require_protocol_4(gateway: GatewaySimulator) -> None:
    gateway.script(Tool("ls", {"path": "."}), Reply("Done"))
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Hello", KEY, include_tools=True))
        kinds = [type(part) for part in await read_all(run)]
    tools = [ToolCall, ToolResult] if gateway.protocol == 4 else []
    assert kinds == [*tools, str]
