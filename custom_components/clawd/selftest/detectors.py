"""Detectors of leaks: pure functions, which the canaries use like the checks."""

from collections import Counter
import inspect
from typing import TYPE_CHECKING, Any, Final

from ..gateway.agent_run import MOST_HELD

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import CoroutineType

    from ..gateway import RunInfo
    from ..gateway.pending import PendingRequest

MINUTE: Final = 60.0
ENOUGH_DELAYS: Final = 4


def ended_requests(pending: Iterable[PendingRequest]) -> list[str]:
    """Return the ids of the requests that are held although they ended."""
    return [request.id for request in pending if request.future.done()]


def imbalance(pending: Collection[object], issued: int, settled: int) -> int:
    """Return by how many the requests held differ from those under way."""
    return abs(len(pending) - (issued - settled))


def overdue_runs(runs: Iterable[RunInfo], limit: float) -> list[str]:
    """Return the ids of the runs that are held after their end, or for too long."""
    return [run.run_id for run in runs if run.ended or run.age > limit]


def stray_tasks(
    tasks: Iterable[asyncio.Task[object]],
    known: Collection[asyncio.Task[object] | None],
    folder: str,
) -> list[asyncio.Task[object]]:
    """Return the tasks that run code of a folder and are not known."""
    return [
        task for task in tasks if task not in known and _source(task).startswith(folder)
    ]


def wrong_counts(found: Iterable[str], expected: Mapping[str, int]) -> list[str]:
    """Return the names that are there less or more often than expected."""
    counts = Counter(found)
    names = sorted({*counts, *expected})
    return [name for name in names if counts[name] != expected.get(name, 0)]


def duplicates(listeners: Mapping[str, Collection[Callable[..., object]]]) -> list[str]:
    """Return the events to which a listener listens twice.

    Listeners are compared with `==`, since a bound method is a new object each time.
    """
    return [
        event
        for event, callables in listeners.items()
        if any(list(callables).count(listener) > 1 for listener in callables)
    ]


def changed_counts(
    baseline: Mapping[str, int], listeners: Mapping[str, Collection[object]]
) -> list[str]:
    """Return the events that have more or fewer listeners than the baseline."""
    found = (event for event, callables in listeners.items() for _ in callables)
    return wrong_counts(found, baseline)


def overdue_requests(
    pending: Iterable[PendingRequest], now: float, tolerance: float
) -> list[str]:
    """Return the ids of the requests that outlive their deadline; times in seconds."""
    return [r.id for r in pending if now - r.deadline > tolerance]


def most_in_a_minute(moments: Collection[float]) -> int:
    """Return how many moments, in seconds, fall into a minute at most."""
    return max(
        (sum(0 <= at - first < MINUTE for at in moments) for first in moments),
        default=0,
    )


def repeated(delays: Collection[float]) -> bool:
    """Return whether delays are not drawn at random, as far as can be seen."""
    return len(delays) >= ENOUGH_DELAYS and len({round(d, 3) for d in delays}) == 1


def swollen_runs(runs: Iterable[RunInfo]) -> list[str]:
    """Return the ids of the runs that keep more text, or events, than there can be.

    Between two segments there are two more characters than the reply has.
    """
    return [
        run.run_id for run in runs if run.unread > 2 * run.size or run.held > MOST_HELD
    ]


def stray_timers(
    handles: Iterable[asyncio.TimerHandle],
    known: Collection[asyncio.TimerHandle],
    folder: str,
) -> list[str]:
    """Return what the timers call that would run code of a folder and are not known."""
    callbacks = armed(handle for handle in handles if handle not in known)
    return [
        callback.__qualname__
        for callback in callbacks
        if inspect.isroutine(callback) and _file_of(callback).startswith(folder)
    ]


def armed(handles: Iterable[asyncio.TimerHandle]) -> list[Callable[..., object]]:
    """Return what the timers will call that were not cancelled."""
    return [
        inspect.unwrap(getattr(handle, "_callback", print))
        for handle in handles
        if not handle.cancelled()
    ]


def scheduled(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle] | None:
    """Return the timers of a loop; None if it is not asyncio's own.

    Nothing public tells them.
    """
    handles = getattr(loop, "_scheduled", None)
    return list(handles) if isinstance(handles, list) else None


def grown(
    before: Mapping[str, int], after: Mapping[str, int], by: int = 1
) -> list[str]:
    """Return the names that are there by so many more often than before."""
    return [name for name in sorted(after) if after[name] - before.get(name, 0) >= by]


def coroutine_of(task: asyncio.Task[object]) -> CoroutineType[Any, Any, Any] | None:
    """Return the coroutine of a task, unless it runs something else."""
    coroutine = task.get_coro()
    return coroutine if inspect.iscoroutine(coroutine) else None


def _source(task: asyncio.Task[object]) -> str:
    coroutine = coroutine_of(task)
    return coroutine.cr_code.co_filename if coroutine else ""


def _file_of(callback: object) -> str:
    function = getattr(callback, "__func__", callback)
    code = getattr(function, "__code__", None)
    return code.co_filename if code else ""
