"""Checks of tasks started by actions."""

from dataclasses import replace
import time
from typing import TYPE_CHECKING, Final

from ...assist.throwaway import DELAYS, async_find_unused, can_delete
from ...gateway import Timing
from ...reports import Mode, Origin, Status
from ..drill_tools import DRILL_TIMEOUT
from ..model import CheckResult, Component, check, expect_none
from ..prerequisites import connected, setup_complete

if TYPE_CHECKING:
    from ..model import CheckContext

# Requests of a task besides its runs: agents, models, settings, each turn.
_REQUESTS: Final = 8
# Seconds past the deadline of a task, for its requests and a drill in progress.
MAX_OVERTIME: Final = _REQUESTS * Timing().request_timeout + DRILL_TIMEOUT
# Seconds from the end of a task until its session is deleted, with all attempts of
# three requests each.
MAX_CLEANUP_TIME: Final = sum(DELAYS) + 3 * len(DELAYS) * Timing().request_timeout


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_tasks_map(context: CheckContext) -> CheckResult:
    """Tasks of actions, untracked, overdue or past their end.

    Automations wait for their ends.
    """
    runtime = context.runtime
    ended = await context.recheck(lambda: _ended(context))
    unattended = await context.recheck(lambda: _unattended(context))
    overdue = await context.recheck(lambda: _overdue(context))
    twice = sum(times > 1 for times in runtime.task_ends.values())
    return expect_none(
        len(ended) + len(unattended) + len(overdue) + twice,
        "tasks",
        count=len(runtime.started_tasks),
        ended=len(ended),
        unattended=len(unattended),
        overdue=len(overdue),
        twice=twice,
    )


@check(
    component=Component.GATEWAY,
    mode=Mode.ACTIVE,
    requires=(setup_complete, connected),
)
async def check_throwaway_sessions(context: CheckContext) -> CheckResult:
    """Leftover sessions of ended tasks.

    They hold questions and answers.
    """
    if not can_delete(context.entry):
        return CheckResult(status=Status.SKIP, reason="sessions_undeletable")
    unused = await async_find_unused(context.entry)
    left = {session.key for session in unused if session.age > MAX_CLEANUP_TIME}
    known = left & context.runtime.ended_sessions
    result = expect_none(
        len(left),
        "sessions",
        count=len(left),
        deleting=len(unused) - len(left),
    )
    # Known ones await deletion by the Gateway.
    return replace(result, origin=Origin.GATEWAY) if left == known else result


def _ended(context: CheckContext) -> list[str]:
    """Return the ended tasks."""
    tasks = context.runtime.started_tasks
    return [name for name, started in tasks.items() if started.task.done()]


def _unattended(context: CheckContext) -> list[str]:
    """Return the untracked tasks."""
    runtime = context.runtime
    return [
        name
        for name, started in runtime.started_tasks.items()
        if not (started.task.done() or started.task in runtime.background_tasks)
    ]


def _overdue(context: CheckContext) -> list[str]:
    """Return the overdue tasks."""
    now = time.monotonic()
    return [
        name
        for name, started in context.runtime.started_tasks.items()
        if not started.task.done() and now - started.deadline > MAX_OVERTIME
    ]
