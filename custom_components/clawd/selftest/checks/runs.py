"""Checks of the runs that are kept."""

from typing import TYPE_CHECKING, Final

from ...gateway import Timing
from ...reports import Status
from .. import detectors
from ..model import CheckResult, Component, check, expect_none

if TYPE_CHECKING:
    from ..model import CheckContext

MAX_RUN_AGE: Final = Timing().request_timeout + Timing().run_timeout + 1


@check(component=Component.GATEWAY)
async def check_runs_map(context: CheckContext) -> CheckResult:
    """Open runs that have ended, or are too old.

    They would use up memory.
    """
    introspection = context.runtime.client.introspection
    overdue = await context.recheck(
        lambda: detectors.overdue_runs(introspection.runs, MAX_RUN_AGE)
    )
    runs = introspection.runs
    return expect_none(
        len(overdue),
        "runs",
        count=len(overdue),
        open=len(runs),
        details=tuple(
            f"age {run.age:.1f} s, ended: {run.ended}"
            for run in runs
            if run.run_id in overdue
        ),
    )


@check(component=Component.GATEWAY)
async def check_unknown_runs(context: CheckContext) -> CheckResult:
    """Open runs that were not started here.

    Runs of others are none of Home Assistant's business.
    """
    client, statistics = context.runtime.client, context.runtime.client.statistics
    foreign = detectors.imbalance(
        client.introspection.runs, statistics.runs_started, statistics.runs_ended
    )
    return expect_none(
        foreign, "runs", count=foreign, events=statistics.foreign_run_events
    )


@check(component=Component.GATEWAY)
async def check_stream_queues(context: CheckContext) -> CheckResult:
    """Text that waits for its reader.

    It must not grow without bounds.
    """
    runs = context.runtime.client.introspection.runs
    oversized = detectors.oversized_runs(runs)
    return CheckResult(
        status=Status.FAIL if oversized else Status.PASS,
        observed=max((run.unread for run in runs), default=0),
        unit="characters",
        expected="<= the reply",
        placeholders={"count": len(oversized), "open": len(runs)},
        details=tuple(
            f"{run.unread} unread of {run.size}, {run.buffered} buffered"
            for run in runs
            if run.run_id in oversized
        ),
    )
