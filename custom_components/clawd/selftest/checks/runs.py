"""Checks of runs."""

from collections import Counter
from dataclasses import replace
import time
from typing import TYPE_CHECKING, Final

from ...gateway import Timing
from ...reports import Origin, Status
from .. import detectors
from ..model import CheckResult, Component, check, expect_none, warn_if_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...gateway import RunOutcome
    from ..model import CheckContext

# Codes of runs with an unknown reply. A failure of the agent (`UNAVAILABLE` …) or an
# abort (`ABORTED`) is an answer, and a run given up here (`STOPPED`) needs none.
LOSS_ORIGINS: Final[Mapping[str, Origin]] = {
    "ConnectionLostError": Origin.NETWORK,
    "HUNG_UP": Origin.NETWORK,
    "NOT_JSON": Origin.GATEWAY,
    "NO_FRAME": Origin.GATEWAY,
    "NO_REPLY": Origin.GATEWAY,
    "REFUSED": Origin.GATEWAY,
    "REQUEST_TOO_LARGE": Origin.GATEWAY,
    "RUN_IDLE_TIMEOUT": Origin.GATEWAY,
    "RUN_LOST": Origin.GATEWAY,
    "RUN_TIMEOUT": Origin.GATEWAY,
    "TIMEOUT": Origin.NETWORK,
    "UNEXPECTED": Origin.INTEGRATION,
    "UNREACHABLE": Origin.NETWORK,
}
# Errors of accepted runs whose end is known.
KNOWN_ENDS: Final = ("AgentRunError", "AgentRunAborted", "NotConnectedError")
# Errors that kept the connection from coming back, and are not the Gateway's.
NETWORK_ERRORS: Final = ("CannotConnectError", "CertificateError")
DAY: Final = 86_400.0
# Seconds past the timeout of a run: to stop it, or to fetch its reply.
MAX_OVERTIME: Final = Timing().request_timeout + 1


@check(component=Component.GATEWAY)
async def check_runs_map(context: CheckContext) -> CheckResult:
    """Open runs after their end, or overdue.

    They would use up memory.
    """
    introspection = context.runtime.client.introspection
    overdue = await context.recheck(
        lambda: detectors.overdue_runs(introspection.runs, MAX_OVERTIME)
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
    """Open runs not started by Home Assistant.

    Runs of others are none of Home Assistant's business.
    """
    client, statistics = context.runtime.client, context.runtime.client.statistics
    foreign = detectors.imbalance(
        client.introspection.runs, statistics.runs_started, statistics.runs_ended
    )
    return expect_none(
        foreign, "runs", count=foreign, events=statistics.foreign_run_events
    )


@check(component=Component.GATEWAY, origin=Origin.GATEWAY)
async def check_run_events(context: CheckContext) -> CheckResult:
    """Unused events of our own runs.

    Parts of replies would be missing.
    """
    return warn_if_any(context.counted("skipped_run_events"), "events")


@check(component=Component.GATEWAY, origin=Origin.NETWORK)
async def check_run_outcomes(context: CheckContext) -> CheckResult:
    """Outcomes of the last ten questions.

    A lost reply leaves the user without an answer.
    """
    outcomes = context.runtime.client.introspection.run_outcomes
    lost = lost_outcomes(outcomes)
    codes = Counter(outcome.code for outcome in lost)
    result = CheckResult(
        status=Status.PASS,
        observed=len(lost),
        unit="replies",
        expected=0,
        placeholders={
            "count": len(outcomes),
            "lost": len(lost),
            "codes": ", ".join(f"{code}: {n}" for code, n in codes.items()),
        },
    )
    if not lost:
        return result
    return replace(result, status=Status.WARN, origin=_origin_of(lost[-1]))


def lost_outcomes(outcomes: Iterable[RunOutcome]) -> list[RunOutcome]:
    """Return the lost replies of the last day.

    Oldest first.
    """
    now = time.time()
    return [o for o in outcomes if now - o.at < DAY and _is_lost(o)]


def _is_lost(outcome: RunOutcome) -> bool:
    if outcome.code in LOSS_ORIGINS or outcome.code.isdecimal():
        return True
    # The run was accepted, and the connection did not come back: HTTP_502, for one.
    failed = outcome.error is not None and outcome.error not in KNOWN_ENDS
    return outcome.accepted and failed


def _origin_of(outcome: RunOutcome) -> Origin:
    if outcome.code in LOSS_ORIGINS:
        return LOSS_ORIGINS[outcome.code]
    # A decimal is the code with which the connection was closed.
    network = outcome.code.isdecimal() or outcome.error in NETWORK_ERRORS
    return Origin.NETWORK if network else Origin.GATEWAY


@check(component=Component.GATEWAY)
async def check_stream_queues(context: CheckContext) -> CheckResult:
    """Unread text of runs.

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
