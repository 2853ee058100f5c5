"""Faults of tasks and their sessions."""

import asyncio
from typing import Any

from custom_components.clawd.assist import throwaway
from custom_components.clawd.coordinator import (
    StartedTask,
    async_create_background_task,
)

from ..ai_tasks import cleaned_up
from ..fault_harness import Fault, FaultHarness
from ..report_assertions import Expected
from ..states import AGENT

CHECK = "tasks_map"
HOUR = 3_600_000


def _expected(count: int, **found: int) -> Expected:
    counts = {"count": count, "ended": 0, "unattended": 0, "overdue": 0, "twice": 0}
    return Expected(sum(found.values()), counts | found)


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()


def _keep(harness: FaultHarness, task: asyncio.Task[None], seconds: float) -> None:
    """Put a task into the map, with a deadline in so many seconds."""
    tasks = harness.runtime.started_tasks
    tasks["t"] = StartedTask(task, asyncio.get_running_loop().time() + seconds)
    harness.cleanup.callback(tasks.clear)


async def kept_task(harness: FaultHarness) -> None:
    """Keep a task that has ended."""
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    _keep(harness, task, 60)


async def unattended_task(harness: FaultHarness) -> None:
    """Keep a task that would not end with the entry."""
    task = asyncio.create_task(_wait_for_ever())
    harness.cleanup.callback(task.cancel)
    _keep(harness, task, 60)


async def overdue_task(harness: FaultHarness) -> None:
    """Let a task go on for longer than its runs can take."""
    task = async_create_background_task(
        harness.hass, harness.entry, _wait_for_ever(), "clawd task"
    )
    harness.cleanup.callback(task.cancel)
    _keep(harness, task, -1000)


async def end_told_twice(harness: FaultHarness) -> None:
    """Tell the end of a task twice."""
    harness.runtime.count_task_end("t")
    harness.runtime.count_task_end("t")


async def _ask(harness: FaultHarness) -> None:
    """Ask in a session that is to be deleted, an hour ago."""
    data = {"agent": AGENT, "text": "Hello"}
    await harness.hass.services.async_call("clawd", "ask", data, blocking=True)
    await cleaned_up(harness.entry)
    for session in harness.gateway.runs.sessions.values():
        session.updated_at -= HOUR


async def forgotten_session(harness: FaultHarness) -> None:
    """Forget to delete the session of a task."""
    harness.monkeypatch.setattr(throwaway, "async_delete_later", lambda *_: None)
    await _ask(harness)


async def undeletable_session(harness: FaultHarness) -> None:
    """Refuse to delete the session of a task."""

    def change(payload: dict[str, Any]) -> None:
        payload["session"]["sessionId"] = "another"

    harness.monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0))
    harness.gateway.edit("sessions.describe", change)
    await _ask(harness)


_LEFT = Expected(1, {"count": 1, "deleting": 0})

FAULTS = [
    Fault(kept_task, CHECK, _expected(1, ended=1)),
    Fault(unattended_task, CHECK, _expected(1, unattended=1)),
    Fault(overdue_task, CHECK, _expected(1, overdue=1)),
    Fault(end_told_twice, CHECK, _expected(0, twice=1)),
    Fault(forgotten_session, "throwaway_sessions", _LEFT, protocols=(4,)),
    Fault(undeletable_session, "throwaway_sessions", _LEFT, protocols=(4,)),
]
