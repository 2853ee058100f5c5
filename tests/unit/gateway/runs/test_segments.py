"""Segment ends as parts of a run."""

import pytest

from custom_components.clawd.gateway import AgentRun, Part, RunRequest, SegmentEnd
from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.recordings import recording
from tests.unit.clients import connected
from tests.unit.run_harness import RunHarness

END = SegmentEnd()
CALL = {"phase": "start", "name": "ls", "toolCallId": "1", "args": {}}


@pytest.fixture
async def harness() -> RunHarness:
    """Return a run with the ends of segments."""
    harness = RunHarness(include_segments=True)
    await harness.start()
    return harness


async def read_all(run: AgentRun) -> list[Part]:
    """Read all parts of a run."""
    return [part async for part in run.parts()]


async def answer(run: AgentRun) -> str:
    """Return the text after the last end of a segment with text."""
    segments = [""]
    for part in await read_all(run):
        if isinstance(part, str):
            segments[-1] += part
        elif segments[-1]:
            segments.append("")
    return segments[-1].strip()


@pytest.mark.parametrize("version", [3, 4])
async def test_a_recorded_segment_ends_before_the_next(
    harness: RunHarness, version: int
) -> None:
    for line in recording(version, "agent_run_text_tool_text"):
        match line.get("frame"):
            case {"event": "agent", "payload": payload}:
                harness.send_event(payload["stream"], payload["data"])
    await harness.end()

    parts = await read_all(harness.run)
    assert parts[0] == "Let me look that up."
    assert set(map(type, parts[1:-1])) == {SegmentEnd}
    assert str(parts[-1]).startswith("\n\nTool said:")


async def test_a_paragraph_ends_no_segment(harness: RunHarness) -> None:
    for text, delta in (("One.\n\n", "One.\n\n"), ("One.\n\nTwo.", "Two.")):
        harness.send_event("assistant", {"text": text, "delta": delta})
    await harness.end("One.\n\nTwo.")

    assert await read_all(harness.run) == ["One.\n\nTwo."]


async def test_a_tool_ends_a_segment_before_there_is_more(harness: RunHarness) -> None:
    harness.send_text("One.")
    harness.send_event("tool", CALL)
    harness.send_event("tool", {**CALL, "phase": "result"})
    await harness.end()

    assert await read_all(harness.run) == ["One.", END]


async def test_the_answer_is_told_from_what_was_missed(harness: RunHarness) -> None:
    harness.send_text("Fir")
    harness.run.stream.buffer()
    harness.run.stream.replay_history(("First.", "Second.", "Third."))
    await harness.end("Third.")

    assert await read_all(harness.run) == ["First.\n\nSecond.", END, "\n\nThird."]


async def test_text_iteration_skips_ends(harness: RunHarness) -> None:
    harness.send_text("One.")
    harness.send_event("tool", CALL)
    harness.send_text("Two.")
    await harness.end("Two.")

    assert "".join([text async for text in harness.run]) == "One.\n\nTwo."


async def test_ends_are_opt_in() -> None:
    harness = RunHarness()
    await harness.start()
    harness.send_text("One.")
    harness.send_event("tool", CALL)
    harness.send_text("Two.")
    await harness.end("Two.")

    assert await read_all(harness.run) == ["One.\n\nTwo."]


async def test_the_answer_is_the_same_with_each_protocol(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("Let me look."), Tool("ls"), Reply("It is\n\nopen."))
    async with connected(gateway) as client:
        request = RunRequest("Hello", "agent:main:ha-test", include_segments=True)
        run = await client.start_run(request)

        assert await answer(run) == "It is\n\nopen."
