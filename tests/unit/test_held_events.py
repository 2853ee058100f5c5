"""What comes after a loss is held back until it is known what is missing."""

import pytest

from custom_components.clawd.gateway import ConnectionLostError
from custom_components.clawd.gateway.agent_run import MOST_HELD

from .stage import Stage

LOST = ConnectionLostError("x")


@pytest.fixture
async def stage() -> Stage:
    """Return a run that has told the start of a segment."""
    stage = Stage()
    await stage.start()
    stage.say("The")
    return stage


async def heard(stage: Stage) -> str:
    """Return what is told of the run to its end."""
    return "".join([text async for text in stage.run])


async def test_a_segment_that_is_told_without_a_loss_is_not_torn(stage: Stage) -> None:
    assert not stage.run.torn
    await stage.end("The end")


async def test_a_segment_is_torn_until_the_history_has_its_rest(stage: Stage) -> None:
    stage.run.suspend(LOST)
    stage.run.catch_up(())
    assert stage.run.torn
    stage.run.catch_up(("The end",))
    assert not stage.run.torn
    await stage.end("The end")


async def test_a_segment_that_was_held_back_waits_for_the_rest_of_the_torn_one(
    stage: Stage,
) -> None:
    stage.run.suspend(LOST)
    stage.say("Next", itemId="b")
    stage.run.catch_up(())
    stage.run.catch_up(("The end",))
    assert stage.run.info.unread == len("The end\n\nNext")
    await stage.end("Next")
    assert await heard(stage) == "The end\n\nNext"


async def test_a_step_with_a_tool_mends_no_torn_segment(stage: Stage) -> None:
    stage.run.suspend(LOST)
    stage.run.catch_up(())
    stage.tell("tool", {"phase": "start", "name": "ls", "toolCallId": "1"})
    assert stage.run.torn
    await stage.end("The end")


async def test_more_than_can_be_held_back_is_not_held(stage: Stage) -> None:
    assert not stage.run.overflowed
    stage.run.suspend(LOST)
    for _ in range(MOST_HELD - 1):
        stage.say("Next")
    assert not stage.run.overflowed
    for _ in range(2):
        stage.say("Next")
    assert stage.run.overflowed
    assert stage.run.info.held == MOST_HELD
    stage.run.hold()
    assert not stage.run.overflowed
    await stage.end("Next")
