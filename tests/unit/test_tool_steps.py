"""The steps with tools are told between the texts, where they are asked for."""

import asyncio

import pytest

from custom_components.clawd.gateway import AgentRun, Part, ToolCall, ToolResult
from custom_components.clawd.gateway.frames import Payload
from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.recordings import recording

from .clients import connected
from .stage import Stage

KEY = "agent:main:ha-test"
CALL = {"phase": "start", "name": "ls", "toolCallId": "1", "args": {"path": "."}}
RESULT = {"phase": "result", "name": "ls", "toolCallId": "1", "result": {"content": []}}


@pytest.fixture
async def stage() -> Stage:
    """Return a run that records its steps with tools."""
    stage = Stage()
    stage.run.record_tools()
    await stage.start()
    return stage


async def heard(run: AgentRun) -> list[Part]:
    """Return all parts of a run."""
    return [part async for part in run.parts()]


def replay(stage: Stage, name: str) -> None:
    """Feed the events of a recorded run of protocol 4."""
    for line in recording(4, name):
        match line.get("frame"):
            case {"event": "agent", "payload": payload}:
                stage.tell(payload["stream"], payload["data"])


async def test_calls_and_results_stand_between_the_texts(stage: Stage) -> None:
    replay(stage, "agent_run_text_tool_text")
    await stage.end()
    first, call, result, last = await heard(stage.run)
    assert first == "Let me look that up."
    assert call == ToolCall("call_1", "tool_search", {"query": "light"})
    assert isinstance(result, ToolResult)
    assert (result.id, result.name, result.is_error) == (call.id, call.name, False)
    assert result.result["content"][0]["type"] == "text"
    assert isinstance(last, str)
    assert last.startswith("\n\nTool said:")


async def test_steps_alone_are_no_text(stage: Stage) -> None:
    stage.tell("tool", CALL)
    await stage.end()
    assert [text async for text in stage.run] == []


async def test_texts_alone_leave_the_steps_out(stage: Stage) -> None:
    stage.say("One")
    stage.tell("tool", CALL)
    stage.tell("tool", RESULT)
    stage.say("Two")
    await stage.end("Two")
    assert "".join([text async for text in stage.run]) == "One\n\nTwo"


async def test_a_run_tells_no_steps_unless_they_are_asked_for() -> None:
    stage = Stage()
    await stage.start()
    replay(stage, "agent_run_tool")
    await stage.end()
    assert all(isinstance(part, str) for part in await heard(stage.run))


async def test_a_step_is_told_as_it_comes(stage: Stage) -> None:
    told = aiter(stage.run.parts())
    waiting = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0)
    stage.tell("tool", CALL)
    assert await waiting == ToolCall("1", "ls", {"path": "."})
    await stage.end()


async def test_a_step_is_told_once(stage: Stage) -> None:
    stage.tell("tool", CALL, seq=1)
    stage.tell("tool", CALL, seq=1)
    stage.tell("tool", RESULT, seq=2)
    await stage.end()
    assert len(await heard(stage.run)) == 2


async def test_a_call_whose_result_was_missed_gets_one(stage: Stage) -> None:
    stage.tell("tool", CALL)
    await stage.end("Done")
    call, text, result = await heard(stage.run)
    assert (call, text) == (ToolCall("1", "ls", {"path": "."}), "Done")
    assert result == ToolResult("1", "ls", None, is_error=True)


async def test_a_call_gets_no_second_result_after_the_end(stage: Stage) -> None:
    stage.tell("tool", CALL)
    stage.run.hold()
    stage.tell("tool", RESULT)
    await stage.end()
    stage.run.catch_up(())
    _, *results = await heard(stage.run)
    assert results == [ToolResult("1", "ls", None, is_error=True)]


async def test_a_failed_call_says_so(stage: Stage) -> None:
    stage.tell("tool", CALL)
    stage.tell("tool", {**RESULT, "isError": True})
    await stage.end()
    _, result = await heard(stage.run)
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
async def test_what_is_no_step_is_left_out(stage: Stage, data: Payload) -> None:
    stage.tell("tool", data)
    await stage.end()
    assert await heard(stage.run) == []


async def test_a_step_does_not_show_its_content(stage: Stage) -> None:
    stage.tell("tool", {**CALL, "args": {"secret": "hush"}})
    stage.tell("tool", {**RESULT, "result": "hush"})
    await stage.end()
    assert "hush" not in repr(await heard(stage.run))


async def test_only_protocol_4_tells_the_steps(gateway: GatewaySimulator) -> None:
    gateway.script(Tool("ls", {"path": "."}), Reply("Done"))
    async with connected(gateway) as client:
        run = await client.start_run("Hello", session_key=KEY, tools=True)
        kinds = [type(part) for part in await heard(run)]
    tools = [ToolCall, ToolResult] if gateway.protocol == 4 else []
    assert kinds == [*tools, str]
