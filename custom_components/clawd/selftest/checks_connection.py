"""Checks of the connection's past and of what was agreed on it."""

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ..gateway import SCOPES, Cause, Pause, Timing, address_class
from ..inspection import METHODS
from . import detectors
from .model import CheckResult, Status, expect_none

if TYPE_CHECKING:
    from ..gateway import Hello, Transition
    from .model import CheckContext

SKEW_WARN: Final = 30.0
SKEW_FAIL: Final = 120.0

# What only a person can mend; anything else is looked at again, but not at once.
ENDLESS: Final = (Pause.TOKEN, Pause.SCOPES, Pause.TRANSPORT)
LEAST_PAUSE: Final = 30.0
TOLERANCE: Final = 1.0

# v3 counts for the whole Gateway, so that gaps say nothing.
FIRST_PROTOCOL_WITH_SEQUENCE: Final = 4


def not_connected(context: CheckContext) -> str | None:
    """Name the reason if there is no connection to look at."""
    return None if context.connected else "not_connected"


async def check_backoff_schedule(context: CheckContext) -> CheckResult:
    """Look at the delays of the last attempts to connect, and at their number."""
    timing, transitions = Timing(), context.runtime.client.transitions
    retries = [t for t in transitions if t.cause in (Cause.FAILED, Cause.LOST)]
    delays = [t.delay for t in retries if t.delay is not None and not _ordered(t)]
    most = detectors.most_in_a_minute(
        [t.at for t in transitions if t.cause in (Cause.STARTED, Cause.DUE)]
    )
    long = [t.delay for t in retries if t.delay and t.delay > _longest(t, most)]
    fixed = detectors.repeated(delays)
    faults = {
        f"{most} attempts in a minute": most > timing.most_attempts,
        f"a delay of {max(long, default=0):.3g} s": bool(long),
        "the same delay again and again": fixed,
    }
    return CheckResult(
        status=Status.FAIL if any(faults.values()) else Status.PASS,
        observed=[round(delay, 3) for delay in delays],
        unit="s",
        expected=f"<= {timing.longest_delay:g}",
        facts={"count": len(delays), "attempts": most},
        details=tuple(fault for fault, found in faults.items() if found),
    )


async def check_backoff_pause(context: CheckContext) -> CheckResult:
    """Look for attempts where only a person can help."""
    early = [
        f"{before.pause}: {after.at - before.at:.3g} s"
        for before, after in pairwise(context.runtime.client.transitions)
        if before.pause and after.cause is Cause.DUE and _is_early(before, after)
    ]
    return expect_none(len(early), "attempts", count=len(early), details=tuple(early))


async def check_clock_skew(context: CheckContext) -> CheckResult:
    """Compare this machine's clock with the Gateway's."""
    skew = _hello(context).clock_skew
    status = Status.PASS
    if abs(skew) > SKEW_WARN:
        status = Status.FAIL if abs(skew) > SKEW_FAIL else Status.WARN
    return CheckResult(
        status=status,
        observed=round(skew, 3),
        unit="s",
        expected=f"<= {SKEW_WARN:g}",
        facts={"seconds": f"{skew:.1f}"},
    )


async def check_sequence_gaps(context: CheckContext) -> CheckResult:
    """Count the events that the Gateway has numbered and that did not arrive."""
    if _hello(context).protocol < FIRST_PROTOCOL_WITH_SEQUENCE:
        return CheckResult(status=Status.SKIP, reason="not_in_protocol")
    gaps = context.runtime.client.statistics.sequence_gaps
    return CheckResult(
        status=Status.WARN if gaps else Status.PASS,
        observed=gaps,
        unit="gaps",
        expected=0,
        facts={"count": gaps},
    )


async def check_tick_age(context: CheckContext) -> CheckResult:
    """Look at how long the Gateway has been silent."""
    limit = 2 * _hello(context).policy.tick_interval
    age = context.runtime.client.silence or 0.0
    return CheckResult(
        status=Status.FAIL if age > limit else Status.PASS,
        observed=round(age, 3),
        unit="s",
        expected=f"<= {limit:g}",
        facts={"seconds": f"{age:.1f}", "limit": f"{limit:g}"},
    )


async def check_receive_limit(context: CheckContext) -> CheckResult:
    """Compare what is taken in at most with what the Gateway may send."""
    limit = context.runtime.client.receive_limit
    least = _hello(context).policy.max_payload
    return CheckResult(
        status=Status.PASS if limit and limit >= least else Status.FAIL,
        observed=limit,
        unit="bytes",
        expected=f">= {least}",
        facts={"limit": limit or 0, "least": least},
    )


async def check_features(context: CheckContext) -> CheckResult:
    """Look for methods that are needed and not offered."""
    offered = _hello(context).methods
    missing = [name for name in METHODS if name not in offered]
    return _missing_result(missing, len(METHODS))


async def check_scopes(context: CheckContext) -> CheckResult:
    """Look for scopes that are needed and not granted."""
    granted = _hello(context).scopes
    missing = [scope for scope in SCOPES if scope not in granted]
    return _missing_result(missing, len(SCOPES))


async def check_transport_trust(context: CheckContext) -> CheckResult:
    """Look at who could listen, and whether the peer is the right one."""
    client = context.runtime.client
    endpoint, peer = client.endpoint, client.peer
    host = peer.address if peer else endpoint.host
    address = address_class(host)
    pinned = endpoint.fingerprint
    status = Status.PASS
    if endpoint.exposed_at(host):
        status = Status.WARN if endpoint.allow_insecure else Status.FAIL
    if pinned and peer and peer.fingerprint != pinned:
        status = Status.FAIL
    transport = "wss" if endpoint.ssl else "ws"
    return CheckResult(
        status=status,
        observed=f"{transport}, {address}",
        expected="wss, or not public",
        facts={"transport": transport, "address": address},
    )


def _missing_result(missing: list[str], count: int) -> CheckResult:
    return expect_none(len(missing), "names", count=count, names=", ".join(missing))


def _hello(context: CheckContext) -> Hello:
    """Return what was agreed on; for checks with the prerequisite `not_connected`."""
    hello = context.runtime.client.hello
    assert hello  # noqa: S101 - no await since the prerequisite
    return hello


def _longest(retry: Transition, attempts: int) -> float:
    """Return the longest delay that a retry may have, in seconds.

    The Gateway may ask for more, and the turn of an attempt may come later.
    """
    turn = detectors.MINUTE if attempts >= Timing().most_attempts else 0.0
    return max(Timing().longest_delay, _ordered(retry) or 0.0, turn)


def _ordered(transition: Transition) -> float | None:
    """Return the seconds that the Gateway asked to wait, if it did."""
    return transition.error.retry_after if transition.error else None


def _is_early(before: Transition, after: Transition) -> bool:
    """Return whether a pause ended by itself that cannot, or not so soon."""
    ordered = _ordered(before)
    least = LEAST_PAUSE if ordered is None else ordered
    return before.pause in ENDLESS or after.at - before.at < least - TOLERANCE
