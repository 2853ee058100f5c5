"""Drills on the operator connection."""

import asyncio
from collections import Counter
from contextlib import contextmanager
import gc
from time import perf_counter
import tracemalloc
from typing import TYPE_CHECKING, Final

from ... import redaction
from ...gateway import ConnectionLostError, NotConnectedError
from ...reports import Origin, Status
from ...runtime.counts import count_listeners
from .. import detectors, drill_tools
from ..drill_tools import drill
from ..log_recorder import recorded_log
from ..loop_watch import PACKAGE
from ..model import CheckResult, Component, expect_none, milliseconds
from .tasks import lasting_tasks, stray_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...gateway import GatewayClient
    from ..model import CheckContext

# Close codes of the WebSocket protocol: "service restart", and no close frame.
SERVICE_RESTART: Final = 1012
ABNORMAL_CLOSURE: Final = 1006
RECONNECTS: Final = 3

REQUESTS: Final = 5
REQUEST_TIMEOUT: Final = 10.0
FAIL_TIMEOUT: Final = 1.0

MAX_GROWTH: Final = 64 * 1024


@drill(component=Component.GATEWAY, max_lag=drill_tools.MAX_LAG)
async def check_drill_restart(context: CheckContext) -> CheckResult:
    """Reconnect after a simulated Gateway restart.

    Gateways are restarted.
    """
    return await drill_reconnect(context, context.runtime.client, SERVICE_RESTART)


@drill(component=Component.GATEWAY, max_lag=drill_tools.MAX_LAG)
async def check_drill_abort(context: CheckContext) -> CheckResult:
    """Reconnect after the connection was cut.

    Networks break.
    """
    return await drill_reconnect(context, context.runtime.client, None)


@drill(component=Component.GATEWAY, max_lag=FAIL_TIMEOUT / 2)
async def check_disconnect_fails_all(context: CheckContext) -> CheckResult:
    """Open requests of a lost connection: each must fail.

    Their callers would wait forever.
    """
    client, started = context.runtime.client, perf_counter()
    # Eager, so that the requests are sent before the connection is cut.
    requests = [
        asyncio.create_task(_seconds_until_failure(client, started), eager_start=True)
        for _ in range(REQUESTS)
    ]
    await drill_tools.interrupt(client)
    await asyncio.wait(requests, timeout=FAIL_TIMEOUT)
    for request in requests:
        request.cancel()
    ends = await asyncio.gather(*requests, return_exceptions=True)
    delays = [end for end in ends if isinstance(end, float)]
    slowest = max(delays, default=perf_counter() - started)
    passed = len(delays) == REQUESTS and slowest < FAIL_TIMEOUT
    return CheckResult(
        status=Status.PASS if passed else Status.FAIL,
        observed=len(delays),
        unit="requests",
        expected=REQUESTS,
        placeholders={
            "failed": len(delays),
            "count": REQUESTS,
            "slowest": milliseconds(slowest),
        },
    )


@drill(component=Component.HOME_ASSISTANT)
async def check_task_growth(context: CheckContext) -> CheckResult:
    """Tasks left behind by reconnects.

    They would use up memory.
    """
    before = count_tasks(context)
    await drill_tools.reconnect(context, RECONNECTS)
    names = await context.recheck(
        lambda: detectors.grown_counts(before, count_tasks(context), RECONNECTS)
    )
    return expect_none(
        len(names),
        "tasks",
        reconnects=RECONNECTS,
        count=before.total(),
        names=", ".join(names),
    )


@drill(component=Component.HOME_ASSISTANT)
async def check_memory(context: CheckContext) -> CheckResult:
    """Memory growth per reconnect.

    It would run out in the end.
    """
    client, measure = context.runtime.client, context.hass.async_add_executor_job
    runs = client.statistics.runs_started
    # Garbage is not growth: collect it first.
    with drill_tools.frozen_objects(), _traced_memory():
        # Only memory allocated from now on is traced, so the first connection is
        # made before the measurement; it also fills caches.
        await drill_tools.reconnect(context, 1)
        gc.collect()
        before = await measure(_own_bytes)
        await drill_tools.reconnect(context, RECONNECTS)
        gc.collect()
        growth = (await measure(_own_bytes) - before) // RECONNECTS
    # Its text is in memory, and so it is in the measurement.
    if client.statistics.runs_started > runs:
        raise drill_tools.RunStartedError
    return CheckResult(
        status=Status.FAIL if growth >= MAX_GROWTH else Status.PASS,
        observed=growth,
        unit="bytes",
        expected=f"< {MAX_GROWTH}",
        placeholders={"reconnects": RECONNECTS, "kib": f"{growth / 1024:.1f}"},
    )


@drill(component=Component.SECURITY)
async def check_log_redaction(context: CheckContext) -> CheckResult:
    """Secrets in the debug log.

    Logs are shared.
    """
    with recorded_log() as records:
        await drill_tools.reconnect(context, 1)
    secrets = redaction.known_secrets(
        context.entry.data, context.entry.options, *context.runtime.all_credentials
    )
    loggers = [
        logger for logger, text in records if redaction.contains_secret(text, secrets)
    ]
    return expect_none(
        len(loggers),
        "lines",
        count=len(records),
        secrets=len(secrets),
        names=", ".join(sorted(set(loggers))),
    )


def count_tasks(context: CheckContext) -> Counter[str]:
    """Count client and stray tasks by name."""
    counts = Counter(lasting_tasks(context))
    counts.update(
        coroutine.__qualname__
        for task in stray_tasks(context)
        if (coroutine := detectors.coroutine_of(task))
    )
    return counts


async def drill_reconnect(
    context: CheckContext, client: GatewayClient, close_code: int | None
) -> CheckResult:
    """Interrupt a connection and return the outcome.

    Raises:
        NotConnectedError: the Gateway did not answer.

    """
    introspection = client.introspection
    before = Counter(count_listeners(client)) - _temporary(context, client)
    result = await drill_tools.interrupt(client, close_code, wait_delay=True)
    if result.attempt_failed and not result.reconnected:
        raise NotConnectedError("the Gateway is not back")
    time = milliseconds(result.seconds)
    if result.attempting:
        return CheckResult(
            status=Status.FAIL,
            reason="gateway_not_back",
            origin=Origin.GATEWAY,
            observed=round(result.seconds * 1000, 3),
            unit="ms",
            expected=f"< {drill_tools.RECONNECT_TIMEOUT * 1000:g}",
            placeholders={"time": time},
        )
    changed = await context.recheck(
        lambda: detectors.changed_counts(
            before + _temporary(context, client), introspection.listeners
        )
    )
    return CheckResult(
        status=Status.PASS if result.reconnected and not changed else Status.FAIL,
        observed=round(result.seconds * 1000, 3),
        unit="ms",
        expected=f"< {drill_tools.RECONNECT_TIMEOUT * 1000:g}",
        placeholders={
            "code": close_code or ABNORMAL_CLOSURE,
            "time": time,
            "names": ", ".join(changed) or "-",
        },
    )


def _temporary(context: CheckContext, client: GatewayClient) -> Counter[str]:
    """Count the listeners of open questions."""
    runtime = context.runtime
    return runtime.temporary_listeners if client is runtime.client else Counter()


async def _seconds_until_failure(client: GatewayClient, started: float) -> float | None:
    """Return the seconds until a request fails."""
    try:
        await client.system.health(REQUEST_TIMEOUT)
    except ConnectionLostError, NotConnectedError:
        return perf_counter() - started
    return None


@contextmanager
def _traced_memory() -> Iterator[None]:
    """Trace allocations; keep an existing trace."""
    traced_before = tracemalloc.is_tracing()
    if not traced_before:
        tracemalloc.start()
    try:
        yield
    finally:
        if not traced_before:
            tracemalloc.stop()


def _own_bytes() -> int:
    """Return the bytes allocated by our code."""
    traces = tracemalloc.take_snapshot().traces
    return sum(t.size for t in traces if t.traceback[0].filename.startswith(PACKAGE))
