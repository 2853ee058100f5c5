"""Faults of tasks, timers, resources and the event loop."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from homeassistant.config_entries import ConfigEntry

from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.gateway.runs.aborts import Aborts
from custom_components.clawd.selftest.checks import tasks
from custom_components.clawd.selftest.resources import ResourceTracker

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import MEASURED, Expected


def _fail(*_: object) -> None:
    raise RuntimeError


async def stray_task(harness: FaultHarness) -> None:
    """Start a task that is not registered."""
    harness.start_stray_task()


async def failing_task(harness: FaultHarness) -> None:
    """Let a task of the client end with an exception."""
    harness.monkeypatch.setattr(Aborts, "abort", _fail)
    harness.gateway.hold("agent")
    request = RunRequest("Hi", "agent:main:ha-task")

    async def start_run() -> None:
        await harness.runtime.client.start_run(request)

    task = asyncio.create_task(start_run())
    await harness.gateway.wait_for_request("agent")
    task.cancel()
    await asyncio.wait([task])


async def forgotten_timer(harness: FaultHarness) -> None:
    """Leave a timer armed that is not registered."""
    loop = asyncio.get_running_loop()
    timer = loop.call_later(60, harness.runtime.client.resume)
    harness.cleanup.callback(timer.cancel)


async def kept_resource(harness: FaultHarness) -> None:
    """Reload without releasing a resource."""
    real: Any = ResourceTracker.async_track

    def track(
        tracker: ResourceTracker,
        entry: ConfigEntry,
        name: str,
        release: Callable[[], None],
    ) -> None:
        with harness.monkeypatch.context() as patch:
            if name == "report listener":
                patch.setattr(ConfigEntry, "async_on_unload", lambda *_: None)
                harness.cleanup.callback(release)
            real(tracker, entry, name, release)

    harness.monkeypatch.setattr(ResourceTracker, "async_track", track)
    for _ in range(2):
        await harness.hass.config_entries.async_reload(harness.entry.entry_id)


async def blocked_loop(harness: FaultHarness) -> None:
    """Block the event loop again and again."""
    harness.monkeypatch.setattr(tasks, "MAX_LAG", 0.02)
    loop = asyncio.get_running_loop()

    def block() -> None:
        end = perf_counter() + 0.03
        while perf_counter() < end:
            continue
        timers[0] = loop.call_later(0.005, block)

    timers = [loop.call_later(0, block)]
    harness.cleanup.callback(lambda: timers.pop().cancel())


FAULTS = [
    Fault(
        stray_task,
        "task_inventory",
        Expected(1, {"names": "Task-# (GatewayClient.wait_connected)"}, None),
    ),
    Fault(
        failing_task,
        "task_exceptions",
        Expected(1, {"count": 1, "names": "abort"}),
        differs=True,
    ),
    Fault(
        forgotten_timer,
        "timer_registry",
        Expected(1, {"names": "GatewayClient.resume"}),
    ),
    Fault(kept_resource, "unload_ledger", Expected(None, {"names": "report listener"})),
    Fault(blocked_loop, "loop_lag", Expected(MEASURED, {"slow": "#"})),
]
