"""Checks of the connection attempts: their delays, and their pauses."""

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ...gateway import Cause, PauseReason, Timing
from ...reports import Status
from .. import detectors
from ..model import CheckResult, Component, check, expect_none, for_each_client

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...gateway import GatewayClient, Transition
    from ..model import CheckContext

# Causes of scheduled attempts. A resume is not scheduled: the user, or a drill,
# requested it.
ATTEMPTS: Final = (Cause.STARTED, Cause.RETRY)
# Pauses without a recheck; the others end by themselves, but not early.
USER_ACTION_PAUSES: Final = (
    PauseReason.TOKEN,
    PauseReason.SCOPES,
    PauseReason.TRANSPORT,
)
MIN_PAUSE: Final = 30.0
PAUSE_TOLERANCE: Final = 1.0


@check(component=Component.GATEWAY)
@for_each_client
async def check_backoff_schedule(
    _context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Delays and number of recent connection attempts.

    Too many attempts burden the Gateway.
    """
    timing = Timing()
    transitions = client.introspection.transitions
    retries = [t for t in transitions if t.cause in (Cause.FAILED, Cause.LOST)]
    delays = [
        t.delay for t in retries if t.delay is not None and _retry_after(t) is None
    ]
    attempts = max(map(detectors.max_per_minute, _attempts(transitions)))
    long = [t.delay for t in retries if t.delay and t.delay > _max_delay(t, attempts)]
    faults = {
        f"{attempts} attempts in a minute": attempts > timing.max_attempts,
        f"a delay of {max(long, default=0):.3g} s": bool(long),
        "the same delay again and again": detectors.constant_delays(delays),
    }
    return CheckResult(
        status=Status.FAIL if any(faults.values()) else Status.PASS,
        observed=[round(delay, 3) for delay in delays],
        unit="s",
        expected=f"<= {timing.max_delay:g}",
        placeholders={"count": len(delays), "attempts": attempts},
        details=tuple(fault for fault, found in faults.items() if found),
    )


@check(component=Component.GATEWAY)
@for_each_client
async def check_backoff_pause(
    _context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Retries while user action is required.

    The Gateway locks out clients after several attempts with a wrong token.
    """
    early = [
        f"{before.pause}: {_seconds_between(before, after):.3g} s"
        for before, after in pairwise(client.introspection.transitions)
        if before.pause and after.cause is Cause.RETRY and _is_early(before, after)
    ]
    return expect_none(len(early), "attempts", count=len(early), details=tuple(early))


def _attempts(transitions: Iterable[Transition]) -> list[list[float]]:
    """Return the attempt times by client."""
    starts: list[float] = []
    clients: list[list[float]] = [[]]
    for transition in transitions:
        if transition.cause not in ATTEMPTS or transition.drill:
            continue
        # The transitions outlive a reload of the entry; the rate limit does not.
        if transition.cause is Cause.STARTED:
            starts.append(transition.monotonic_at)
            clients.append([])
        clients[-1].append(transition.monotonic_at)
    return [starts, *clients]


def _max_delay(retry: Transition, attempts: int) -> float:
    """Return the maximum retry delay in seconds."""
    # The Gateway may ask for more, and the rate limit demand up to a minute.
    rate_limit = detectors.MINUTE if attempts >= Timing().max_attempts else 0.0
    return max(Timing().max_delay, _retry_after(retry) or 0.0, rate_limit)


def _retry_after(transition: Transition) -> float | None:
    """Return the delay requested by the Gateway."""
    return transition.error.retry_after if transition.error else None


def _is_early(before: Transition, after: Transition) -> bool:
    """Return whether a pause ended too early."""
    retry_after = _retry_after(before)
    minimum = MIN_PAUSE if retry_after is None else retry_after
    return (
        before.pause in USER_ACTION_PAUSES
        or _seconds_between(before, after) < minimum - PAUSE_TOLERANCE
    )


def _seconds_between(before: Transition, after: Transition) -> float:
    return after.monotonic_at - before.monotonic_at
