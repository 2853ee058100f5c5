"""Checks of tasks, timers and the event loop."""

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial
import re
from typing import TYPE_CHECKING, Final

from ...client_factory import SETUP_CLIENTS
from ...const import DOMAIN, PAIRING_TASK
from ...reports import Origin, Status
from ...runtime.counts import TASK_PREFIX
from .. import detectors, loop_watch
from ..loop_watch import PACKAGE, Owner
from ..model import CheckResult, Component, check, expect_none, milliseconds
from ..prerequisites import all_handshakes_complete, setup_complete
from ..resources import async_get_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ...gateway import GatewayClient
    from ..detectors import Lag
    from ..model import CheckContext

# Prefixes of the tasks that end by themselves, in any state.
TRANSIENT_TASKS: Final = ("listener ", "recovery", "abort", "approval", "node ")
# Prefix of the tasks of the node's client.
OF_NODE: Final = "node: "
MAX_NAMES: Final = 10
MAX_STACK_FRAMES: Final = 10
MAX_STACK_LINES: Final = 20
MAX_LINE_LENGTH: Final = 160

# Seconds of one measurement of the event loop, and of all.
LAG_WINDOW: Final = 0.5
LAG_EXTENSION: Final = 2.0
LAG_TIMEOUT: Final = 30.0
# Windows in a row with a block.
LATE_WINDOWS: Final = 3

# In a call graph: File "/config/custom_components/clawd/gateway/client.py".
_LONG_PATH: Final = re.compile(r"(?<=File ['\"]).*/(?=[^/]+/[^/]+['\"])")


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_task_inventory(context: CheckContext) -> CheckResult:
    """Tasks in progress, against the expected ones.

    An additional task is a leak; a missing one is a fault.
    """
    missing = await context.recheck(partial(_missing_tasks, context))
    additional = await context.recheck(partial(_additional_tasks, context))
    stray = await context.recheck(partial(stray_tasks, context))
    names = additional + [_describe(task) for task in stray]
    result = expect_none(
        len(missing) + len(names),
        "tasks",
        count=sum(len(c.introspection.tasks) for c in context.runtime.clients),
        names=", ".join(names[:MAX_NAMES]),
        missing=", ".join(missing),
        details=tuple(line for task in stray[:MAX_NAMES] for line in _call_graph(task)),
    )
    if not missing:
        return result
    reason = "tasks_wrong" if names else "tasks_missing"
    return replace(result, reason=reason, hint="task_inventory")


@check(component=Component.HOME_ASSISTANT)
async def check_task_exceptions(context: CheckContext) -> CheckResult:
    """Failed tasks and survived errors.

    Something has stopped working.
    """
    events = context.events
    names = [name for name in events if name.startswith(TASK_PREFIX)]
    # The task that keeps the connection goes on after an unexpected exception.
    survived = events["main_loop_errors"]
    count = sum(events[name] for name in names) + survived
    return expect_none(
        count,
        "tasks",
        count=count,
        names=", ".join(
            [*(name.removeprefix(TASK_PREFIX) for name in names), *["run"][:survived]]
        ),
    )


@check(
    component=Component.HOME_ASSISTANT,
    requires=(setup_complete, all_handshakes_complete),
)
async def check_timer_registry(context: CheckContext) -> CheckResult:
    """Armed timers without an owner.

    They would fire after their owner is gone.
    """
    loop = asyncio.get_running_loop()
    if (handles := detectors.scheduled_timers(loop)) is None:
        return CheckResult(status=Status.SKIP, reason="not_asyncio")
    stray = await context.recheck(partial(_stray_timers, context.hass, loop))
    return expect_none(
        len(stray), "timers", count=len(handles), names=", ".join(stray[:MAX_NAMES])
    )


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_unload_ledger(context: CheckContext) -> CheckResult:
    """Resources not released by an earlier setup.

    Each reload would leak more.
    """
    held = async_get_tracker(context.entry).held
    twice = [name for name, count in held.items() if count > 1]
    return CheckResult(
        status=Status.FAIL if twice else Status.PASS,
        observed=sum(held.values()),
        expected=sum(min(count, 1) for count in held.values()),
        placeholders={
            "count": sum(held.values()),
            "names": ", ".join(twice[:MAX_NAMES]),
        },
    )


@check(
    component=Component.HOME_ASSISTANT,
    origin=Origin.HOME_ASSISTANT,
    timeout=LAG_TIMEOUT,
)
async def check_loop_lag(context: CheckContext) -> CheckResult:
    """Lag of Home Assistant's event loop.

    Everything in Home Assistant would be slow.
    """
    lag = await _measure_lag(context)
    blocker = lag.blocker
    result = CheckResult(
        status=Status.PASS,
        observed=round(lag.longest * 1000, 3),
        unit="ms",
        expected=f"< {loop_watch.MAX_LAG * 1000:g}",
        placeholders={
            "slow": milliseconds(lag.longest),
            "name": blocker.name if blocker else "",
            "percent": f"{lag.share * 100:.0f}",
        },
        details=(blocker.name,) if blocker else (),
    )
    if not lag.late:
        return result
    if blocker and blocker.owner is Owner.INTEGRATION:
        return replace(
            result,
            status=Status.FAIL,
            origin=Origin.INTEGRATION,
            hint="loop_blocked",
        )
    return replace(result, status=Status.WARN)


async def _measure_lag(context: CheckContext) -> Lag:
    """Measure the lag, again if unclear."""
    loop = asyncio.get_running_loop()
    monitor, end = context.runtime.loop_monitor, loop.time() + LAG_EXTENSION
    windows: list[float] = []
    while True:
        start = loop.time()
        await asyncio.sleep(LAG_WINDOW)
        windows.append(context.watch.lag_since(start))
        frequent = len(windows) >= LATE_WINDOWS and all(windows)
        lag = detectors.loop_lag(context.watch, monitor, frequent=frequent)
        # Measured again: a single hiccup is no fault.
        if lag.late or not lag.longest or loop.time() >= end:
            return lag


def lasting_tasks(context: CheckContext) -> list[str]:
    """Return the names of long-lived tasks."""
    return [
        f"{prefix}{name}"
        for prefix, client in _named_clients(context)
        for name in client.introspection.tasks.values()
        if not name.startswith(TRANSIENT_TASKS)
    ]


def stray_tasks(context: CheckContext) -> list[asyncio.Task[object]]:
    """Return our tasks without an owner."""
    tasks = asyncio.all_tasks()
    known = {*context.self_tests, *_client_tasks(context.hass)}
    known |= set(_pairing_tasks(context.hass, tasks))
    return detectors.stray_tasks(tasks, known, PACKAGE)


def _missing_tasks(context: CheckContext) -> list[str]:
    """Return the names of missing tasks."""
    return sorted((_expected_tasks(context) - Counter(lasting_tasks(context))).keys())


def _additional_tasks(context: CheckContext) -> list[str]:
    """Return the names of unexpected tasks."""
    return sorted((Counter(lasting_tasks(context)) - _expected_tasks(context)).keys())


def _expected_tasks(context: CheckContext) -> Counter[str]:
    return Counter(
        {
            f"{prefix}{name}": count
            for prefix, client in _named_clients(context)
            for name, count in (("run", 1), ("watchdog", int(client.hello is not None)))
        }
    )


def _named_clients(context: CheckContext) -> Iterator[tuple[str, GatewayClient]]:
    """Yield the clients with their task prefixes."""
    yield from zip(("", OF_NODE), context.runtime.clients, strict=False)


def _client_tasks(hass: HomeAssistant) -> Iterator[asyncio.Task[object]]:
    for client in tuple(SETUP_CLIENTS):
        yield from client.introspection.tasks
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        for client in entry.runtime_data.clients:
            yield from client.introspection.tasks
        yield from entry.runtime_data.background_tasks


def _pairing_tasks(
    hass: HomeAssistant, tasks: set[asyncio.Task[object]]
) -> list[asyncio.Task[object]]:
    """Return the approval tasks of config flows."""
    waits = [task for task in tasks if task.get_name() == PAIRING_TASK]
    return waits[: len(hass.config_entries.flow.async_progress_by_handler(DOMAIN))]


def _describe(task: asyncio.Task[object]) -> str:
    coroutine = detectors.coroutine_of(task)
    name = task.get_name()[:MAX_LINE_LENGTH]
    return f"{name} ({coroutine.__qualname__ if coroutine else '?'})"


def _call_graph(task: asyncio.Task[object]) -> list[str]:
    """Return files and lines of a waiting task.

    Without values.
    """
    lines = asyncio.format_call_graph(task, limit=MAX_STACK_FRAMES).splitlines()
    return [
        _LONG_PATH.sub("", line)[:MAX_LINE_LENGTH] for line in lines[:MAX_STACK_LINES]
    ]


def _stray_timers(hass: HomeAssistant, loop: asyncio.AbstractEventLoop) -> list[str]:
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    known: set[object] = {watch.timer for watch in loop_watch.RUNNING}
    for entry in entries:
        for client in entry.runtime_data.clients:
            known |= client.introspection.timers
        known.add(entry.runtime_data.loop_monitor.timer)
    return detectors.stray_timers(
        detectors.scheduled_timers(loop) or (), known, PACKAGE
    )
