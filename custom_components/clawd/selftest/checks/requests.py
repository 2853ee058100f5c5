"""Checks of requests and responses."""

import asyncio
from contextlib import suppress
from copy import copy
from math import ceil
from operator import sub
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ...gateway import RequestTimeoutError
from ...reports import Mode, Origin, Status
from .. import detectors
from ..model import (
    CheckResult,
    Component,
    check,
    expect_none,
    for_each_client,
    loop_late,
    milliseconds,
)
from ..prerequisites import handshake_complete

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ...gateway import GatewayClient, Statistics
    from ..model import CheckContext

ROUND_TRIPS: Final = 5
# Minimum for a p95 that ignores a single outlier, as in a pause of Node.
MAX_ROUND_TRIPS: Final = 20
ROUND_TRIP_WARN: Final = 1.0
ROUND_TRIP_FAIL: Final = 5.0

PROBE_TIMEOUT: Final = 0.05
PROBE_HOLD_TIME: Final = 0.3
LATE_RESPONSE_TIMEOUT: Final = 2.0

OVERDUE_TOLERANCE: Final = 1.0


@check(
    component=Component.GATEWAY,
    mode=Mode.ACTIVE,
    origin=Origin.GATEWAY,
    timeout=30,
)
async def check_round_trip(context: CheckContext) -> CheckResult:
    """Response time of the Gateway.

    A slow Gateway delays every reply.
    """
    client = context.runtime.client
    return await measure_round_trips(
        context, lambda: _round_trip(client), ROUND_TRIP_FAIL, MAX_ROUND_TRIPS
    )


@check(component=Component.GATEWAY, mode=Mode.ACTIVE, max_lag=PROBE_TIMEOUT)
async def check_timeout_probe(context: CheckContext) -> CheckResult:
    """Deliberate request timeout, and its late response.

    A frozen Gateway must not freeze Home Assistant.
    """
    client = context.runtime.client
    introspection = client.introspection
    before = copy(client.statistics)
    held = set(detectors.ended_requests(introspection.pending))
    expired, seconds = await _let_expire(client)
    late = expired and await _wait_for_late_response(client, before)
    orphaned = _orphans(client.statistics) > _orphans(before)
    leaked = await context.recheck(
        lambda: set(detectors.ended_requests(introspection.pending)) - held
    )
    if not expired and seconds < PROBE_TIMEOUT:
        return CheckResult(status=Status.SKIP, reason="not_held")
    if client.statistics.drops > before.drops:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    if expired and not orphaned and not leaked:
        reason = "gateway_slow" if context.gateway_slow else "no_late_response"
        return CheckResult(status=Status.SKIP, reason=reason)
    faults = {
        "not timed out": not expired,
        "not removed": bool(leaked),
        "late response not counted as such": expired and not late,
    }
    return CheckResult(
        status=Status.FAIL if any(faults.values()) else Status.PASS,
        observed=round(seconds * 1000, 3),
        unit="ms",
        expected=f"< {PROBE_HOLD_TIME * 1000:g}",
        placeholders={"deadline": milliseconds(PROBE_TIMEOUT)},
        details=tuple(fault for fault, found in faults.items() if found),
    )


@check(component=Component.GATEWAY, requires=(handshake_complete,))
@for_each_client
async def check_pending_balance(
    context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Pending requests after their end.

    They would use up memory.
    """
    introspection, statistics = client.introspection, client.statistics
    issued, completed = statistics.requests_issued, statistics.requests_completed
    held = introspection.pending
    imbalance = detectors.imbalance(held, issued, completed)
    ended = await context.recheck(
        lambda: detectors.ended_requests(introspection.pending)
    )
    return expect_none(
        len(ended) or imbalance,
        "requests",
        held=len(held),
        issued=issued,
        completed=completed,
        details=tuple(f"{r.method} {r.id}" for r in held if r.id in ended),
    )


@check(component=Component.GATEWAY, max_lag=OVERDUE_TOLERANCE)
@for_each_client
async def check_pending_age(
    context: CheckContext, client: GatewayClient
) -> CheckResult:
    """Pending requests past their timeout.

    Their callers would wait forever.
    """
    introspection = client.introspection
    loop = asyncio.get_running_loop()
    overdue = await context.recheck(
        lambda: detectors.overdue_requests(
            introspection.pending, loop.time(), OVERDUE_TOLERANCE
        )
    )
    held = introspection.pending
    ages = [round(loop.time() - request.deadline, 3) for request in held]
    return CheckResult(
        status=Status.FAIL if overdue else Status.PASS,
        observed=max(ages, default=0),
        unit="s after the deadline",
        expected=f"<= {OVERDUE_TOLERANCE:g}",
        placeholders={"count": len(overdue), "held": len(ages)},
        details=tuple(r.method for r in held if r.id in overdue),
    )


@check(component=Component.GATEWAY, origin=Origin.NETWORK)
async def check_orphan_responses(context: CheckContext) -> CheckResult:
    """Responses to unknown requests.

    They would be a sign of mixed-up connections.
    """
    unknown = context.counted("unknown_responses")
    return expect_none(
        unknown,
        "responses",
        unknown=unknown,
        late=context.counted("late_responses"),
        repeated=context.counted("duplicate_responses"),
    )


async def measure_round_trips(
    context: CheckContext,
    send: Callable[[], Awaitable[float]],
    maximum: float,
    max_count: int,
) -> CheckResult:
    """Measure round trips and rate their p95.

    `max_count` are measured if one of the first is late.
    """
    times: list[float] = []
    lags: list[float] = []
    # Stop early with a slow Gateway: drills wait for the self-test.
    while len(times) < _needed(times, maximum, max_count) and sum(times) < maximum:
        started = context.watch.now()
        times.append(await send())
        lags.append(context.watch.lag_since(started))
    p95 = _p95(times)
    # Subtract the lag of the event loop: the rest is the Gateway's time.
    status = _rate(_p95(map(sub, times, lags, strict=True)), maximum)
    if status is Status.PASS and _rate(p95, maximum) is not status:
        return loop_late(max(lags))
    return CheckResult(
        status=status,
        observed=round(p95 * 1000, 3),
        unit="ms",
        expected=f"< {ROUND_TRIP_WARN * 1000:g}",
        placeholders={
            "median": milliseconds(median(times)),
            "slow": milliseconds(p95),
            "longest": milliseconds(max(times)),
        },
    )


def _needed(times: list[float], maximum: float, max_count: int) -> int:
    """Return the required number of round trips."""
    late = len(times) == ROUND_TRIPS and _rate(max(times), maximum) is not Status.PASS
    return max_count if late or len(times) > ROUND_TRIPS else ROUND_TRIPS


async def _round_trip(client: GatewayClient) -> float:
    started = perf_counter()
    try:
        await client.system.health(ROUND_TRIP_FAIL)
    except RequestTimeoutError:
        return ROUND_TRIP_FAIL
    return perf_counter() - started


async def _let_expire(client: GatewayClient) -> tuple[bool, float]:
    """Return the timeout of a request.

    Whether it timed out, and its duration in seconds.
    """
    started = perf_counter()
    # The real Gateways hold `agent.wait` for `timeoutMs`, also for an unknown run.
    params = {"runId": uuid4().hex, "timeoutMs": round(PROBE_HOLD_TIME * 1000)}
    try:
        await client.request("agent.wait", params, PROBE_TIMEOUT)
    except RequestTimeoutError:
        return True, perf_counter() - started
    return False, perf_counter() - started


async def _wait_for_late_response(client: GatewayClient, before: Statistics) -> bool:
    """Return whether a late response arrives."""
    now, late, drops = client.statistics, before.late_responses, before.drops
    with suppress(TimeoutError):
        async with asyncio.timeout(LATE_RESPONSE_TIMEOUT):
            # No event tells of these counters.
            while (now.late_responses, now.drops) == (late, drops):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    return now.late_responses > late


def _orphans(statistics: Statistics) -> int:
    return (
        statistics.late_responses
        + statistics.duplicate_responses
        + statistics.unknown_responses
    )


def _p95(times: Iterable[float]) -> float:
    """Return the 95th percentile."""
    ordered = sorted(times)
    return ordered[ceil(0.95 * len(ordered)) - 1]


def _rate(seconds: float, maximum: float) -> Status:
    """Return the status of a round trip."""
    if seconds >= maximum:
        return Status.FAIL
    return Status.WARN if seconds >= ROUND_TRIP_WARN else Status.PASS
