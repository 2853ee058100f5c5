"""Buffering of events after connection loss."""

import pytest

from custom_components.clawd.gateway import ConnectionLostError
from custom_components.clawd.gateway.runs.stream import MAX_BUFFERED_EVENTS
from tests.unit.run_harness import RunHarness

LOST = ConnectionLostError("x")


@pytest.fixture
async def harness() -> RunHarness:
    """Return a run with an open segment."""
    harness = RunHarness()
    await harness.start()
    harness.send_text("The")
    return harness


async def read_all(harness: RunHarness) -> str:
    """Return the whole text of the run."""
    return "".join([text async for text in harness.run])


async def test_no_gap_without_disconnect(
    harness: RunHarness,
) -> None:
    assert not harness.run.stream.has_gap
    await harness.end("The end")


async def test_gap_closes_when_history_has_rest(
    harness: RunHarness,
) -> None:
    harness.run.mark_disconnected(LOST)
    harness.run.stream.replay_history(())
    assert harness.run.stream.has_gap
    harness.run.stream.replay_history(("The end",))
    assert not harness.run.stream.has_gap
    await harness.end("The end")


async def test_buffered_segment_waits_for_gap_to_close(
    harness: RunHarness,
) -> None:
    harness.run.mark_disconnected(LOST)
    harness.send_text("Next", itemId="b")
    harness.run.stream.replay_history(())
    harness.run.stream.replay_history(("The end",))
    assert harness.run.info.unread == len("The end\n\nNext")
    await harness.end("Next")
    assert await read_all(harness) == "The end\n\nNext"


async def test_tool_call_does_not_close_gap(harness: RunHarness) -> None:
    harness.run.mark_disconnected(LOST)
    harness.run.stream.replay_history(())
    harness.send_event("tool", {"phase": "start", "name": "ls", "toolCallId": "1"})
    assert harness.run.stream.has_gap
    await harness.end("The end")


async def test_buffer_overflow(harness: RunHarness) -> None:
    assert not harness.run.stream.overflowed
    harness.run.mark_disconnected(LOST)
    for _ in range(MAX_BUFFERED_EVENTS - 1):
        harness.send_text("Next")
    assert not harness.run.stream.overflowed
    for _ in range(2):
        harness.send_text("Next")
    assert harness.run.stream.overflowed
    assert harness.run.info.buffered == MAX_BUFFERED_EVENTS
    harness.run.stream.buffer()
    assert not harness.run.stream.overflowed
    await harness.end("Next")
