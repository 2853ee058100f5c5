"""Faults of tasks, timers and the event loop."""

import asyncio
from collections.abc import Callable
from time import thread_time
from typing import Any

from homeassistant.config_entries import ConfigEntry

from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.gateway.reconnect import ReconnectLogic
from custom_components.clawd.gateway.runs.aborts import Aborts
from custom_components.clawd.selftest import loop_watch
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


async def unexpected_exception(harness: FaultHarness) -> None:
    """Raise an exception in the task that keeps the connection."""
    with harness.monkeypatch.context() as patch:
        patch.setattr(ReconnectLogic, "_handle_error", _fail)
        await harness.drop_connection()
    harness.runtime.client.resume()
    await harness.runtime.client.wait_connected()


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
    _block(harness, _work)


async def blocking_listener(harness: FaultHarness) -> None:
    """Block the event loop in a listener of this integration."""
    client = harness.runtime.client
    unsubscribe = client.subscribe("tick", lambda _: _work())
    harness.cleanup.callback(unsubscribe)
    runtime = harness.runtime
    runtime.listener_baseline = {**runtime.listener_baseline, "tick": 1}
    _block(harness, lambda: harness.gateway.broadcast("tick", {}))


def _work() -> None:
    """Take processor time for longer than a callback may."""
    # Of this thread: on a busy machine, the watching one waits for a processor, too.
    end = thread_time() + 0.06
    while thread_time() < end:
        continue


def _block(harness: FaultHarness, block: Callable[[], object]) -> None:
    """Block the event loop for most of the time."""
    harness.monkeypatch.setattr(loop_watch, "MAX_LAG", 0.02)
    harness.monkeypatch.setattr(loop_watch, "INTERVAL", 0.005)
    harness.monkeypatch.setattr(loop_watch, "STACK_INTERVAL", 0.001)
    loop = asyncio.get_running_loop()

    def again() -> None:
        block()
        timers[0] = loop.call_later(0.01, again)

    timers = [loop.call_later(0, again)]
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
        unexpected_exception,
        "task_exceptions",
        Expected(1, {"count": 1, "names": "run"}),
    ),
    Fault(
        forgotten_timer,
        "timer_registry",
        Expected(1, {"names": "GatewayClient.resume"}),
    ),
    Fault(kept_resource, "unload_ledger", Expected(None, {"names": "report listener"})),
    Fault(
        blocked_loop,
        "loop_lag",
        Expected(MEASURED, {"slow": "#", "percent": "#"}, None),
        status="warn",
    ),
    Fault(
        blocking_listener,
        "loop_lag",
        Expected(MEASURED, {"slow": "#", "name": "_work (faults/tasks.py)"}, None),
    ),
]
