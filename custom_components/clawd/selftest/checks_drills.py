"""Checks that interrupt the connection and look at what comes of it."""

import asyncio
from collections import Counter
from contextlib import contextmanager
from time import perf_counter
import tracemalloc
from typing import TYPE_CHECKING, Final

from .. import redaction
from ..gateway import ConnectionLostError, NotConnectedError
from . import detectors, interruption
from .checks_home_assistant import PACKAGE, lasting_tasks, stray_tasks
from .log_recorder import recorded_log
from .model import CheckResult, Status, expect_none, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gateway import GatewayClient
    from .model import CheckContext

RESTART: Final = 1012
ABNORMAL: Final = 1006
RECONNECTS: Final = 3

REQUESTS: Final = 5
REQUEST_DEADLINE: Final = 10.0
FAIL_LIMIT: Final = 1.0

MOST_BYTES: Final = 64 * 1024


async def check_drill_restart(context: CheckContext) -> CheckResult:
    """Close the connection as a Gateway does that restarts."""
    return await _drill(context, RESTART)


async def check_drill_abort(context: CheckContext) -> CheckResult:
    """Cut the connection."""
    return await _drill(context, None)


async def check_disconnect_fails_all(context: CheckContext) -> CheckResult:
    """Cut the connection under open requests; each has to hear of it."""
    client, started = context.runtime.client, perf_counter()
    requests = [
        asyncio.create_task(_hear_of_it(client, started), eager_start=True)
        for _ in range(REQUESTS)
    ]
    await interruption.interrupt(client)
    await asyncio.wait(requests, timeout=FAIL_LIMIT)
    for request in requests:
        request.cancel()
    ends = await asyncio.gather(*requests, return_exceptions=True)
    delays = [end for end in ends if isinstance(end, float)]
    slowest = max(delays, default=perf_counter() - started)
    passed = len(delays) == REQUESTS and slowest < FAIL_LIMIT
    return CheckResult(
        status=Status.PASS if passed else Status.FAIL,
        observed=len(delays),
        unit="requests",
        expected=REQUESTS,
        facts={
            "failed": len(delays),
            "count": REQUESTS,
            "slowest": milliseconds(slowest),
        },
    )


async def check_task_growth(context: CheckContext) -> CheckResult:
    """Look for tasks that each reconnect leaves behind."""
    before = count_tasks(context)
    await interruption.reconnect(context.runtime.client, RECONNECTS)
    names = await context.confirm(
        lambda: detectors.grown(before, count_tasks(context), RECONNECTS)
    )
    return expect_none(
        len(names),
        "tasks",
        reconnects=RECONNECTS,
        count=before.total(),
        names=", ".join(names),
    )


async def check_memory(context: CheckContext) -> CheckResult:
    """Measure by how much each reconnect lets our own memory grow."""
    client, measure = context.runtime.client, context.hass.async_add_executor_job
    with _traced_memory():
        await interruption.reconnect(client, 1)
        before = await measure(_own_bytes)
        await interruption.reconnect(client, RECONNECTS)
        growth = (await measure(_own_bytes) - before) // RECONNECTS
    return CheckResult(
        status=Status.FAIL if growth >= MOST_BYTES else Status.PASS,
        observed=growth,
        unit="bytes",
        expected=f"< {MOST_BYTES}",
        facts={"reconnects": RECONNECTS, "kib": f"{growth / 1024:.1f}"},
    )


async def check_log_redaction(context: CheckContext) -> CheckResult:
    """Look for secrets in what is logged for debugging during a reconnect."""
    with recorded_log() as records:
        await interruption.reconnect(context.runtime.client, 1)
    secrets = redaction.known_secrets(context.entry.data, context.runtime.credentials)
    loggers = [logger for logger, text in records if redaction.leaks(text, secrets)]
    return expect_none(
        len(loggers),
        "lines",
        count=len(records),
        secrets=len(secrets),
        names=", ".join(sorted(set(loggers))),
    )


def count_tasks(context: CheckContext) -> Counter[str]:
    """Count the tasks of this client, and those of our code that nobody owns."""
    counts = Counter(lasting_tasks(context))
    counts.update(
        coroutine.__qualname__
        for task in stray_tasks(context)
        if (coroutine := detectors.coroutine_of(task))
    )
    return counts


async def _drill(context: CheckContext, close_code: int | None) -> CheckResult:
    client = context.runtime.client
    before = {event: len(found) for event, found in client.listeners.items()}
    outcome = await interruption.interrupt(client, close_code, patient=True)
    if outcome.failed and not outcome.back:
        raise NotConnectedError("the Gateway is not back")
    changed = await context.confirm(
        lambda: detectors.changed_counts(before, client.listeners)
    )
    return CheckResult(
        status=Status.PASS if outcome.back and not changed else Status.FAIL,
        observed=round(outcome.seconds * 1000, 3),
        unit="ms",
        expected=f"< {interruption.BUDGET * 1000:g}",
        facts={
            "code": close_code or ABNORMAL,
            "time": milliseconds(outcome.seconds),
            "names": ", ".join(changed) or "-",
        },
    )


async def _hear_of_it(client: GatewayClient, started: float) -> float | None:
    """Return after how many seconds a request heard that its connection ended."""
    try:
        await client.request("health", deadline=REQUEST_DEADLINE)
    except ConnectionLostError, NotConnectedError:
        return perf_counter() - started
    return None


@contextmanager
def _traced_memory() -> Iterator[None]:
    """Trace allocations, from now on unless they are traced already."""
    traced_before = tracemalloc.is_tracing()
    if not traced_before:
        tracemalloc.start()
    try:
        yield
    finally:
        if not traced_before:
            tracemalloc.stop()


def _own_bytes() -> int:
    """Return the size of what our own code has allocated and holds."""
    traces = tracemalloc.take_snapshot().traces
    return sum(t.size for t in traces if t.traceback[0].filename.startswith(PACKAGE))
