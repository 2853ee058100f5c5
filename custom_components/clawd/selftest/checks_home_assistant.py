"""Checks of the integration itself: its tasks and listeners."""

import asyncio
from functools import partial
from os import sep
from pathlib import Path
import re
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from ..const import DOMAIN, PAIRING_TASK
from ..ledger import async_get_ledger
from . import detectors
from .model import CheckResult, Status, expect_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.core import HomeAssistant

    from ..gateway import GatewayClient
    from .model import CheckContext

PACKAGE: Final = f"{Path(__file__).parents[1]}{sep}"
# What ends by itself, whatever the state.
TRANSIENT: Final = ("listener ", "recovery", "abort")
MOST_TASKS: Final = 10
MOST_FRAMES: Final = 10
MOST_LINES: Final = 20
MOST_CHARACTERS: Final = 160

_IN_TRANSIT: Final = (
    ConfigEntryState.SETUP_IN_PROGRESS,
    ConfigEntryState.UNLOAD_IN_PROGRESS,
)
_LONG_PATH: Final = re.compile(r"(?<=File ['\"]).*/(?=[^/]+/[^/]+['\"])")


def entry_in_transit(context: CheckContext) -> str | None:
    """Name the reason if what an entry has is not complete, or not any more."""
    states = [e.state for e in context.hass.config_entries.async_entries(DOMAIN)]
    loaded = context.entry.state is ConfigEntryState.LOADED
    in_transit = not loaded or any(state in _IN_TRANSIT for state in states)
    return "entry_in_transit" if in_transit else None


async def check_task_inventory(context: CheckContext) -> CheckResult:
    """Compare the tasks that run with those that should."""
    wrong = await context.confirm(partial(_wrong_tasks, context))
    stray = await context.confirm(partial(stray_tasks, context))
    names = wrong + [_describe(task) for task in stray]
    return expect_none(
        len(names),
        "tasks",
        count=len(context.runtime.client.tasks),
        names=", ".join(names[:MOST_TASKS]),
        details=tuple(line for task in stray[:MOST_TASKS] for line in _graph(task)),
    )


async def check_handler_duplicates(context: CheckContext) -> CheckResult:
    """Look for listeners that are registered twice."""
    client = context.runtime.client
    events = await context.confirm(lambda: detectors.duplicates(client.listeners))
    return _listener_result(events, client)


async def check_handler_baseline(context: CheckContext) -> CheckResult:
    """Compare the listeners of each event with those after set-up."""
    client, baseline = context.runtime.client, context.runtime.listener_baseline
    events = await context.confirm(
        lambda: detectors.changed_counts(baseline, client.listeners)
    )
    return _listener_result(events, client)


async def check_unload_ledger(context: CheckContext) -> CheckResult:
    """Look for what an earlier life of the entry has not given back."""
    held = async_get_ledger(context.entry).held
    twice = [name for name, count in held.items() if count > 1]
    return CheckResult(
        status=Status.FAIL if twice else Status.PASS,
        observed=sum(held.values()),
        expected=sum(min(count, 1) for count in held.values()),
        facts={"count": sum(held.values()), "names": ", ".join(twice[:MOST_TASKS])},
    )


def _listener_result(events: list[str], client: GatewayClient) -> CheckResult:
    return expect_none(
        len(events),
        "events",
        count=sum(map(len, client.listeners.values())),
        names=", ".join(events[:MOST_TASKS]),
    )


def _wrong_tasks(context: CheckContext) -> list[str]:
    """Return the names of tasks that the state of the client forbids or demands."""
    expected = {"run": 1, "watchdog": int(context.connected)}
    return detectors.wrong_counts(lasting_tasks(context), expected)


def lasting_tasks(context: CheckContext) -> list[str]:
    """Return the names of the client's tasks that do not end by themselves."""
    names = context.runtime.client.tasks.values()
    return [name for name in names if not name.startswith(TRANSIENT)]


def stray_tasks(context: CheckContext) -> list[asyncio.Task[object]]:
    """Return the tasks of our code that nobody owns."""
    tasks = asyncio.all_tasks()
    known = {*context.self_tests, *_client_tasks(context.hass)}
    known |= set(_pairing_tasks(context.hass, tasks))
    return detectors.stray_tasks(tasks, known, PACKAGE)


def _client_tasks(hass: HomeAssistant) -> Iterator[asyncio.Task[object]]:
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        yield from entry.runtime_data.client.tasks


def _pairing_tasks(
    hass: HomeAssistant, tasks: set[asyncio.Task[object]]
) -> list[asyncio.Task[object]]:
    """Return as many waits for approval as there are config flows."""
    waits = [task for task in tasks if task.get_name() == PAIRING_TASK]
    return waits[: len(hass.config_entries.flow.async_progress_by_handler(DOMAIN))]


def _describe(task: asyncio.Task[object]) -> str:
    coroutine = detectors.coroutine_of(task)
    name = task.get_name()[:MOST_CHARACTERS]
    return f"{name} ({coroutine.__qualname__ if coroutine else '?'})"


def _graph(task: asyncio.Task[object]) -> list[str]:
    """Return what a task waits for: files and lines, no values."""
    lines = asyncio.format_call_graph(task, limit=MOST_FRAMES).splitlines()
    return [_LONG_PATH.sub("", line)[:MOST_CHARACTERS] for line in lines[:MOST_LINES]]
