"""Checks of the connection and of what travels on it."""

import asyncio
from contextlib import suppress
from copy import copy
from math import ceil
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from ..gateway import (
    MAX_PROTOCOL,
    MIN_PROTOCOL,
    ConnectionState,
    RequestTimeoutError,
    Timing,
    UnsupportedProtocolError,
)
from . import detectors
from .model import CheckResult, Status, expect_none, milliseconds

if TYPE_CHECKING:
    from ..gateway import GatewayClient, Statistics
    from .model import CheckContext

ROUND_TRIPS: Final = 5
ROUND_TRIP_WARN: Final = 1.0
ROUND_TRIP_FAIL: Final = 5.0

# The real Gateways hold `agent.wait` for a run that they do not know.
PROBE_DEADLINE: Final = 0.05
PROBE_HOLD: Final = 0.3
PROBE_PATIENCE: Final = 2.0

RUN_LIMIT: Final = Timing().request + Timing().run + 1


def in_handshake(context: CheckContext) -> str | None:
    """Name the reason if a connection is being made, of which nothing shows yet."""
    handshaking = context.runtime.client.state is ConnectionState.HANDSHAKING
    return "in_handshake" if handshaking else None


async def check_round_trip(context: CheckContext) -> CheckResult:
    """Measure how long the Gateway takes to answer."""
    times = [await _round_trip(context.runtime.client) for _ in range(ROUND_TRIPS)]
    p95 = sorted(times)[ceil(0.95 * len(times)) - 1]
    return CheckResult(
        status=_rate(p95),
        observed=round(p95 * 1000, 3),
        unit="ms",
        expected=f"< {ROUND_TRIP_WARN * 1000:g}",
        facts={
            "median": milliseconds(median(times)),
            "slow": milliseconds(p95),
            "longest": milliseconds(max(times)),
        },
    )


async def check_timeout_probe(context: CheckContext) -> CheckResult:
    """Let a request time out; its late response must be counted, no more."""
    client = context.runtime.client
    before = copy(client.statistics)
    held = set(detectors.ended_requests(client.pending))
    expired, seconds = await _let_expire(client)
    late = expired and await _comes_late(client, before)
    came = _orphans(client.statistics) > _orphans(before)
    leaked = await context.confirm(
        lambda: set(detectors.ended_requests(client.pending)) - held
    )
    if not expired and seconds < PROBE_DEADLINE:
        return CheckResult(status=Status.SKIP, reason="not_held")
    if client.statistics.drops > before.drops:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    if expired and not came and not leaked:
        return CheckResult(status=Status.SKIP, reason="no_late_response")
    faults = {
        "not timed out": not expired,
        "not removed": bool(leaked),
        "late response not counted as such": expired and not late,
    }
    return CheckResult(
        status=Status.FAIL if any(faults.values()) else Status.PASS,
        observed=round(seconds * 1000, 3),
        unit="ms",
        expected=f"< {PROBE_HOLD * 1000:g}",
        facts={"deadline": milliseconds(PROBE_DEADLINE)},
        details=tuple(fault for fault, found in faults.items() if found),
    )


async def check_pending_balance(context: CheckContext) -> CheckResult:
    """Compare the requests held with those that are under way."""
    client, statistics = context.runtime.client, context.runtime.client.statistics
    issued, settled = statistics.requests_issued, statistics.requests_settled
    held = client.pending
    imbalance = detectors.imbalance(held, issued, settled)
    ended = await context.confirm(lambda: detectors.ended_requests(client.pending))
    leaked = len(ended) or imbalance
    return expect_none(
        leaked,
        "requests",
        held=len(held),
        issued=issued,
        settled=settled,
        details=tuple(f"{r.method} {r.id}" for r in held if r.id in ended),
    )


async def check_orphan_responses(context: CheckContext) -> CheckResult:
    """Count the responses to requests that this client never sent."""
    statistics = context.runtime.client.statistics
    alien = statistics.alien_responses
    return expect_none(
        alien,
        "responses",
        alien=alien,
        late=statistics.late_responses,
        repeated=statistics.duplicate_responses,
    )


async def check_runs_map(context: CheckContext) -> CheckResult:
    """Look for runs that are held after their end, or for too long."""
    client = context.runtime.client
    overdue = await context.confirm(
        lambda: detectors.overdue_runs(client.runs, RUN_LIMIT)
    )
    return expect_none(
        len(overdue),
        "runs",
        count=len(overdue),
        open=len(client.runs),
        details=tuple(
            f"age {run.age:.1f} s, ended: {run.ended}"
            for run in client.runs
            if run.run_id in overdue
        ),
    )


async def check_protocol(context: CheckContext) -> CheckResult:
    """Look at the protocol version that was agreed on, or could not be."""
    client = context.runtime.client
    if isinstance(client.last_error, UnsupportedProtocolError):
        version, status = client.last_error.expected, Status.FAIL
    elif client.hello:
        version, status = client.hello.protocol, Status.PASS
    else:
        return CheckResult(status=Status.SKIP, reason="not_connected")
    return CheckResult(
        status=status,
        observed=version,
        expected=f"{MIN_PROTOCOL} to {MAX_PROTOCOL}",
        facts={"version": version or "?"},
    )


async def _round_trip(client: GatewayClient) -> float:
    started = perf_counter()
    try:
        await client.request("health", deadline=ROUND_TRIP_FAIL)
    except RequestTimeoutError:
        return ROUND_TRIP_FAIL
    return perf_counter() - started


async def _let_expire(client: GatewayClient) -> tuple[bool, float]:
    """Send a request that is answered too late; return whether, and when, it ended."""
    started = perf_counter()
    params = {"runId": uuid4().hex, "timeoutMs": round(PROBE_HOLD * 1000)}
    try:
        await client.request("agent.wait", params, deadline=PROBE_DEADLINE)
    except RequestTimeoutError:
        return True, perf_counter() - started
    return False, perf_counter() - started


async def _comes_late(client: GatewayClient, before: Statistics) -> bool:
    """Wait for a late response or a drop; neither wakes anybody."""
    now, late, drops = client.statistics, before.late_responses, before.drops
    with suppress(TimeoutError):
        async with asyncio.timeout(PROBE_PATIENCE):
            while (now.late_responses, now.drops) == (late, drops):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    return now.late_responses > late


def _orphans(statistics: Statistics) -> int:
    return (
        statistics.late_responses
        + statistics.duplicate_responses
        + statistics.alien_responses
    )


def _rate(seconds: float) -> Status:
    if seconds >= ROUND_TRIP_FAIL:
        return Status.FAIL
    return Status.WARN if seconds >= ROUND_TRIP_WARN else Status.PASS
