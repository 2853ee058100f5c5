"""Injected faults, one for each detector.

The sandbox has requests, runs and listeners of its own; it touches neither the
network nor the live client.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from .. import redaction
from ..gateway import Event, NotConnectedError, RunInfo, Statistics
from ..gateway.events import EventListeners
from ..gateway.protocol.frames import Response
from ..gateway.protocol.pending import PendingRequests
from ..gateway.tasks import TaskRegistry
from . import detectors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

MAX_ATTEMPTS: Final = 10
SECRET: Final = 'canary "secret"/+ü of the self-test'  # noqa: S105 - opens nothing


async def detects_ended_request() -> bool:
    """Keep a completed request."""
    pending = PendingRequests(Statistics())
    request = pending.open("canary", timeout=60)
    request.future.cancel()
    held = pending.snapshot()
    await asyncio.sleep(0)
    return bool(detectors.ended_requests(held))


async def detects_imbalance() -> bool:
    """Keep an uncounted request."""
    pending = PendingRequests(Statistics())
    pending.open("canary", timeout=60)
    difference = detectors.imbalance(pending.snapshot(), issued=0, completed=0)
    pending.fail_all(NotConnectedError("injected"))
    return bool(difference)


async def detects_unknown_response() -> bool:
    """Deliver an unknown response."""
    statistics = Statistics()
    PendingRequests(statistics).resolve(
        Response("canary", ok=True, payload={}, error=None)
    )
    return bool(statistics.unknown_responses)


async def detects_overdue_run() -> bool:
    """Keep an ended run."""
    run = RunInfo("canary", age=0, accepted=True, ended=True, size=0)
    return bool(detectors.overdue_runs([run], overtime=60))


async def detects_overdue_request() -> bool:
    """Keep an overdue request."""
    pending = PendingRequests(Statistics())
    request = pending.open("canary", timeout=60)
    held = pending.snapshot()
    pending.fail_all(NotConnectedError("injected"))
    return bool(detectors.overdue_requests(held, request.deadline + 2, 1))


async def detects_oversized_run() -> bool:
    """Keep too much unread text."""
    run = RunInfo("canary", age=0, accepted=True, ended=False, size=1, unread=9)
    return bool(detectors.oversized_runs([run]))


async def detects_connection_storm() -> bool:
    """Attempt eleven connections in a second."""
    times = [index / 10 for index in range(MAX_ATTEMPTS + 1)]
    return detectors.max_per_minute(times) > MAX_ATTEMPTS


async def detects_constant_delays() -> bool:
    """Repeat the same delay."""
    return detectors.constant_delays([0.25] * 5)


async def detects_stray_timer() -> bool:
    """Arm an unknown timer."""
    loop = asyncio.get_running_loop()
    stray, known = (loop.call_later(60, _tick) for _ in range(2))
    found = detectors.stray_timers([stray, known], [known], __file__)
    stray.cancel()
    known.cancel()
    return found == [_tick.__qualname__]


async def detects_stray_task() -> bool:
    """Start an unknown task."""
    registry = TaskRegistry()
    stray = asyncio.create_task(_wait(), name="canary")
    registry.spawn(_wait(), "canary")
    tasks = [stray, *registry.snapshot()]
    found = detectors.stray_tasks(tasks, registry.snapshot(), __file__)
    stray.cancel()
    await registry.cancel_all("canary")
    return found == [stray]


async def detects_duplicate_listener() -> bool:
    """Register a listener twice."""
    return bool(detectors.duplicates({"canary": (_listen, _listen)}))


async def detects_additional_listener() -> bool:
    """Register a listener after the baseline."""
    listeners: EventListeners[Event] = EventListeners(
        Statistics(), TaskRegistry().spawn
    )
    listeners.subscribe("canary", _listen)
    return bool(detectors.changed_counts({}, listeners.snapshot()))


async def detects_growth() -> bool:
    """Increase a count."""
    return bool(detectors.grown_counts({}, {"canary": 1}))


async def detects_secret() -> bool:
    """Leak a secret in each encoding."""
    return all(
        redaction.contains_secret({"text": f"<{variant}>"}, [SECRET])
        for variant in redaction.secret_variants(SECRET)
    )


def _tick() -> None:
    """No-op timer callback."""


async def _wait() -> None:
    await asyncio.Event().wait()


def _listen(_: Event) -> None:
    """No-op listener."""


CANARIES: Final[Mapping[str, Callable[[], Awaitable[bool]]]] = {
    "ended_requests": detects_ended_request,
    "imbalance": detects_imbalance,
    "unknown_responses": detects_unknown_response,
    "overdue_runs": detects_overdue_run,
    "overdue_requests": detects_overdue_request,
    "oversized_runs": detects_oversized_run,
    "max_per_minute": detects_connection_storm,
    "constant_delays": detects_constant_delays,
    "stray_timers": detects_stray_timer,
    "stray_tasks": detects_stray_task,
    "duplicates": detects_duplicate_listener,
    "changed_counts": detects_additional_listener,
    "grown_counts": detects_growth,
    "contains_secret": detects_secret,
}
