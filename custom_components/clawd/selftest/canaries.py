"""Faults planted in a sandbox, to see whether the detectors see them.

The sandbox has its own requests, runs and listeners; it touches neither the
network nor the live client.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from .. import redaction
from ..gateway import Event, NotConnectedError, RunInfo, Statistics
from ..gateway.events import EventListeners
from ..gateway.frames import Response
from ..gateway.pending import PendingRequests
from ..gateway.tasks import TaskRegistry
from . import detectors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

MOST: Final = 10
SECRET: Final = 'canary "secret"/+ü of the self-test'  # noqa: S105 - opens nothing


async def sees_ended_request() -> bool:
    """Hold a request that ended."""
    pending = PendingRequests(Statistics())
    request = pending.open("canary", timeout=60)
    request.future.cancel()
    held = pending.snapshot()
    await asyncio.sleep(0)
    return bool(detectors.ended_requests(held))


async def sees_imbalance() -> bool:
    """Hold a request that the books do not know."""
    statistics = Statistics()
    pending = PendingRequests(statistics)
    pending.open("canary", timeout=60)
    off = detectors.imbalance(pending.snapshot(), issued=0, settled=0)
    pending.fail_all(NotConnectedError("planted"))
    return bool(off)


async def sees_alien_response() -> bool:
    """Answer a request that nobody sent."""
    statistics = Statistics()
    PendingRequests(statistics).resolve(
        Response("canary", ok=True, payload={}, error=None)
    )
    return bool(statistics.alien_responses)


async def sees_overdue_run() -> bool:
    """Hold a run that ended."""
    run = RunInfo("canary", age=0, accepted=True, ended=True, size=0)
    return bool(detectors.overdue_runs([run], limit=60))


async def sees_overdue_request() -> bool:
    """Hold a request whose deadline has passed."""
    pending = PendingRequests(Statistics())
    request = pending.open("canary", timeout=60)
    held = pending.snapshot()
    pending.fail_all(NotConnectedError("planted"))
    return bool(detectors.overdue_requests(held, request.deadline + 2, 1))


async def sees_swollen_run() -> bool:
    """Keep more for a reader than there is."""
    run = RunInfo("canary", age=0, accepted=True, ended=False, size=1, unread=9)
    return bool(detectors.swollen_runs([run]))


async def sees_storm() -> bool:
    """Try eleven times in a second."""
    return detectors.most_in_a_minute([index / 10 for index in range(11)]) > MOST


async def sees_fixed_delay() -> bool:
    """Wait equally long each time."""
    return detectors.repeated([0.25] * 5)


async def sees_stray_timer() -> bool:
    """Arm a timer that nobody knows of, beside one that is known."""
    loop = asyncio.get_running_loop()
    stray, known = (loop.call_later(60, _tick) for _ in range(2))
    seen = detectors.stray_timers([stray, known], [known], __file__)
    stray.cancel()
    known.cancel()
    return seen == [_tick.__qualname__]


async def sees_stray_task() -> bool:
    """Start a task beside the registry."""
    registry = TaskRegistry()
    stray = asyncio.create_task(_wait(), name="canary")
    registry.spawn(_wait(), "canary")
    tasks = [stray, *registry.snapshot()]
    seen = detectors.stray_tasks(tasks, registry.snapshot(), __file__)
    stray.cancel()
    await registry.cancel_all("canary")
    return seen == [stray]


async def sees_repeated_listener() -> bool:
    """Register a listener twice."""
    return bool(detectors.duplicates({"canary": (_listen, _listen)}))


async def sees_additional_listener() -> bool:
    """Register a listener after the baseline was taken."""
    listeners: EventListeners[Event] = EventListeners(
        Statistics(), TaskRegistry().spawn
    )
    listeners.subscribe("canary", _listen)
    return bool(detectors.changed_counts({}, listeners.snapshot()))


async def sees_growth() -> bool:
    """Let something be there once more than before."""
    return bool(detectors.grown({}, {"canary": 1}))


async def sees_secret() -> bool:
    """Let a secret out in each of its forms."""
    return all(
        redaction.leaks({"text": f"<{form}>"}, [SECRET])
        for form in redaction.forms(SECRET)
    )


def _tick() -> None:
    """Do nothing."""


async def _wait() -> None:
    await asyncio.Event().wait()


def _listen(_: Event) -> None:
    """Do nothing."""


CANARIES: Final[Mapping[str, Callable[[], Awaitable[bool]]]] = {
    "ended_requests": sees_ended_request,
    "imbalance": sees_imbalance,
    "alien_responses": sees_alien_response,
    "overdue_runs": sees_overdue_run,
    "overdue_requests": sees_overdue_request,
    "swollen_runs": sees_swollen_run,
    "most_in_a_minute": sees_storm,
    "repeated": sees_fixed_delay,
    "stray_timers": sees_stray_timer,
    "stray_tasks": sees_stray_task,
    "duplicates": sees_repeated_listener,
    "changed_counts": sees_additional_listener,
    "grown": sees_growth,
    "leaks": sees_secret,
}
