"""Checks of tasks, timers, resources and the event loop."""

import asyncio
from functools import partial
from os import sep
from pathlib import Path
import re
from time import perf_counter
from typing import TYPE_CHECKING, Final

from ...const import DOMAIN, PAIRING_TASK
from ...reports import Status
from .. import detectors
from ..model import CheckResult, Component, check, expect_none, milliseconds
from ..prerequisites import all_handshakes_complete, setup_complete
from ..resources import async_get_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ..model import CheckContext

PACKAGE: Final = f"{Path(__file__).parents[2]}{sep}"
# Prefixes of the tasks that end by themselves, in any state.
TRANSIENT_TASKS: Final = ("listener ", "recovery", "abort")
MAX_NAMES: Final = 10
MAX_STACK_FRAMES: Final = 10
MAX_STACK_LINES: Final = 20
MAX_LINE_LENGTH: Final = 160

LAG_SAMPLES: Final = 10
LAG_REPEATS: Final = 2
LAG_INTERVAL: Final = 0.05
MAX_LAG: Final = 0.05

# In a call graph: File "/config/custom_components/clawd/gateway/client.py".
_LONG_PATH: Final = re.compile(r"(?<=File ['\"]).*/(?=[^/]+/[^/]+['\"])")


@check(component=Component.HOME_ASSISTANT, requires=(setup_complete,))
async def check_task_inventory(context: CheckContext) -> CheckResult:
    """Tasks against those that should run.

    An additional task is a leak; a missing one is a fault.
    """
    wrong = await context.recheck(partial(_wrong_tasks, context))
    stray = await context.recheck(partial(stray_tasks, context))
    names = wrong + [_describe(task) for task in stray]
    return expect_none(
        len(names),
        "tasks",
        count=len(context.runtime.client.introspection.tasks),
        names=", ".join(names[:MAX_NAMES]),
        details=tuple(line for task in stray[:MAX_NAMES] for line in _call_graph(task)),
    )


@check(component=Component.HOME_ASSISTANT)
async def check_task_exceptions(context: CheckContext) -> CheckResult:
    """Tasks that ended with an exception.

    Something has stopped working.
    """
    failures = context.runtime.client.introspection.task_failures
    count = sum(failures.values())
    return expect_none(count, "tasks", count=count, names=", ".join(failures))


@check(
    component=Component.HOME_ASSISTANT,
    requires=(setup_complete, all_handshakes_complete),
)
async def check_timer_registry(context: CheckContext) -> CheckResult:
    """Armed timers that nobody needs.

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
    """Resources that an earlier setup has not released.

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


@check(component=Component.HOME_ASSISTANT)
async def check_loop_lag(_context: CheckContext) -> CheckResult:
    """Delay of Home Assistant's event loop.

    Everything in Home Assistant would be slow.
    """
    p95 = await _max_lag()
    # Measured again: a single hiccup is no fault.
    for _ in range(LAG_REPEATS):
        if p95 >= MAX_LAG:
            p95 = min(p95, await _max_lag())
    return CheckResult(
        status=Status.FAIL if p95 >= MAX_LAG else Status.PASS,
        observed=round(p95 * 1000, 3),
        unit="ms",
        expected=f"< {MAX_LAG * 1000:g}",
        placeholders={"slow": milliseconds(p95)},
    )


def lasting_tasks(context: CheckContext) -> list[str]:
    """Return the names of the client's tasks that last."""
    names = context.runtime.client.introspection.tasks.values()
    return [name for name in names if not name.startswith(TRANSIENT_TASKS)]


def stray_tasks(context: CheckContext) -> list[asyncio.Task[object]]:
    """Return the tasks of our code that nobody owns."""
    tasks = asyncio.all_tasks()
    known = {*context.self_tests, *_client_tasks(context.hass)}
    known |= set(_pairing_tasks(context.hass, tasks))
    return detectors.stray_tasks(tasks, known, PACKAGE)


def _wrong_tasks(context: CheckContext) -> list[str]:
    """Return the names of additional and missing tasks."""
    expected = {"run": 1, "watchdog": int(context.connected)}
    return detectors.wrong_counts(lasting_tasks(context), expected)


def _client_tasks(hass: HomeAssistant) -> Iterator[asyncio.Task[object]]:
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        yield from entry.runtime_data.client.introspection.tasks


def _pairing_tasks(
    hass: HomeAssistant, tasks: set[asyncio.Task[object]]
) -> list[asyncio.Task[object]]:
    """Return the tasks of config flows that wait for approval."""
    waits = [task for task in tasks if task.get_name() == PAIRING_TASK]
    return waits[: len(hass.config_entries.flow.async_progress_by_handler(DOMAIN))]


def _describe(task: asyncio.Task[object]) -> str:
    coroutine = detectors.coroutine_of(task)
    name = task.get_name()[:MAX_LINE_LENGTH]
    return f"{name} ({coroutine.__qualname__ if coroutine else '?'})"


def _call_graph(task: asyncio.Task[object]) -> list[str]:
    """Return files and lines a task waits at, without values."""
    lines = asyncio.format_call_graph(task, limit=MAX_STACK_FRAMES).splitlines()
    return [
        _LONG_PATH.sub("", line)[:MAX_LINE_LENGTH] for line in lines[:MAX_STACK_LINES]
    ]


def _stray_timers(hass: HomeAssistant, loop: asyncio.AbstractEventLoop) -> list[str]:
    entries = hass.config_entries.async_loaded_entries(DOMAIN)
    known = {
        timer
        for entry in entries
        for timer in entry.runtime_data.client.introspection.timers
    }
    return detectors.stray_timers(
        detectors.scheduled_timers(loop) or (), known, PACKAGE
    )


async def _max_lag() -> float:
    """Return the 95th percentile of the lag."""
    # Of ten samples, that is the maximum.
    return max([await _lag() for _ in range(LAG_SAMPLES)])


async def _lag() -> float:
    planned = perf_counter() + LAG_INTERVAL
    await asyncio.sleep(LAG_INTERVAL)
    return perf_counter() - planned
