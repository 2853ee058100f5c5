"""Checks of what waits: requests for their responses, runs for their readers."""

import asyncio
from typing import TYPE_CHECKING, Final

from . import detectors
from .model import CheckResult, Status, expect_none

if TYPE_CHECKING:
    from .model import CheckContext

OVERDUE_TOLERANCE: Final = 1.0


async def check_pending_age(context: CheckContext) -> CheckResult:
    """Look for requests that outlive their deadline."""
    client, loop = context.runtime.client, asyncio.get_running_loop()
    overdue = await context.confirm(
        lambda: detectors.overdue_requests(
            client.pending, loop.time(), OVERDUE_TOLERANCE
        )
    )
    ages = [round(loop.time() - request.deadline, 3) for request in client.pending]
    return CheckResult(
        status=Status.FAIL if overdue else Status.PASS,
        observed=max(ages, default=0),
        unit="s after the deadline",
        expected=f"<= {OVERDUE_TOLERANCE:g}",
        facts={"count": len(overdue), "held": len(ages)},
        details=tuple(r.method for r in client.pending if r.id in overdue),
    )


async def check_unknown_runs(context: CheckContext) -> CheckResult:
    """Look for runs that are held and were not started here."""
    client, statistics = context.runtime.client, context.runtime.client.statistics
    foreign = detectors.imbalance(
        client.runs, statistics.runs_started, statistics.runs_ended
    )
    return expect_none(
        foreign, "runs", count=foreign, events=statistics.foreign_run_events
    )


async def check_stream_queues(context: CheckContext) -> CheckResult:
    """Look for runs that keep more for their readers than there can be."""
    runs = context.runtime.client.runs
    swollen = detectors.swollen_runs(runs)
    return CheckResult(
        status=Status.FAIL if swollen else Status.PASS,
        observed=max((run.unread for run in runs), default=0),
        unit="characters",
        expected="<= the reply",
        facts={"count": len(swollen), "open": len(runs)},
        details=tuple(
            f"{run.unread} unread of {run.size}, {run.held} held"
            for run in runs
            if run.run_id in swollen
        ),
    )
