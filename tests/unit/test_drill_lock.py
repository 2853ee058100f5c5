"""Lock between questions and drills."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from custom_components.clawd.util.drill_lock import DrillLock

type Section = Callable[[], AbstractAsyncContextManager[None]]


class Actor:
    """Holder of the lock."""

    def __init__(self, section: Section) -> None:
        """Ask for the lock."""
        self.inside = False
        self._leave = asyncio.Event()
        self._task = asyncio.create_task(self._enter(section))

    async def _enter(self, section: Section) -> None:
        async with section():
            self.inside = True
            await self._leave.wait()
        self.inside = False

    async def leave(self) -> None:
        """Release the lock."""
        self._leave.set()
        await self._task
        await _run_ready_tasks()

    def give_up(self) -> None:
        """Cancel the wait or the work."""
        self._task.cancel()


async def _run_ready_tasks() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def lock() -> DrillLock:
    return DrillLock()


async def test_questions_share_the_lock(lock: DrillLock) -> None:
    first, second = Actor(lock.question), Actor(lock.question)
    await _run_ready_tasks()

    assert first.inside
    assert second.inside
    await first.leave()
    await second.leave()


async def test_a_question_waits_for_the_drill(lock: DrillLock) -> None:
    drill = Actor(lock.drill)
    await _run_ready_tasks()
    question = Actor(lock.question)
    await _run_ready_tasks()
    assert drill.inside
    assert not question.inside

    await drill.leave()

    assert question.inside
    await question.leave()


async def test_a_drill_waits_for_questions_that_start(lock: DrillLock) -> None:
    questions = Actor(lock.question), Actor(lock.question)
    await _run_ready_tasks()
    drill = Actor(lock.drill)
    for question in questions:
        await _run_ready_tasks()
        assert not drill.inside
        await question.leave()

    assert drill.inside
    await drill.leave()


async def test_a_question_that_waits_goes_before_the_next_drill(
    lock: DrillLock,
) -> None:
    first = Actor(lock.drill)
    await _run_ready_tasks()
    question, second = Actor(lock.question), Actor(lock.drill)
    await _run_ready_tasks()

    await first.leave()

    assert question.inside
    assert not second.inside
    await question.leave()
    assert second.inside
    await second.leave()


async def test_who_gives_up_holds_nobody_off(lock: DrillLock) -> None:
    drill = Actor(lock.drill)
    await _run_ready_tasks()
    question = Actor(lock.question)
    await _run_ready_tasks()
    question.give_up()
    await _run_ready_tasks()
    drill.give_up()
    await _run_ready_tasks()

    another = Actor(lock.drill)
    await _run_ready_tasks()

    assert another.inside
    await another.leave()
