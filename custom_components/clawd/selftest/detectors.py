"""Leak detectors, used by checks and canaries."""

from collections import Counter, defaultdict
from dataclasses import dataclass
import inspect
from typing import TYPE_CHECKING, Any, Final

from ..gateway.runs.stream import MAX_BUFFERED_EVENTS
from . import loop_watch
from .loop_watch import Owner

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import CoroutineType

    from ..gateway import RunInfo
    from ..gateway.protocol.pending import PendingRequest
    from ..util.loop_monitor import LoopMonitor
    from .loop_watch import Block, LoopWatch, Place

MINUTE: Final = 60.0
# Parts of the time for which the event loop may be blocked: in a self-test, whose
# samples are dense, and in the minutes before, whose samples see long blocks only.
MAX_LAG_SHARE: Final = 0.1
MAX_EARLIER_SHARE: Final = 0.05
# Seconds: less than this in all is no fault, and more than that in one go is one.
MIN_TOTAL_LAG: Final = 0.2
LONG_BLOCK: Final = 1.0
MIN_DELAYS: Final = 4


@dataclass(frozen=True, slots=True)
class Lag:
    """Lag of the event loop.

    Attributes:
        late: whether it is more than a hiccup.
        longest: in seconds.
        share: of the time.
        blocker: code blocking it for most of the time, if known.

    """

    late: bool
    longest: float
    share: float
    blocker: Place | None = None


def ended_requests(pending: Iterable[PendingRequest]) -> list[str]:
    """Return the ids of completed pending requests."""
    return [request.id for request in pending if request.future.done()]


def imbalance(pending: Collection[object], issued: int, completed: int) -> int:
    """Return the difference between pending and open."""
    return abs(len(pending) - (issued - completed))


def overdue_requests(
    pending: Iterable[PendingRequest], now: float, tolerance: float
) -> list[str]:
    """Return the ids of overdue requests."""
    return [r.id for r in pending if now - r.deadline > tolerance]


def overdue_runs(runs: Iterable[RunInfo], overtime: float) -> list[str]:
    """Return the ids of ended or overdue runs."""
    return [run.run_id for run in runs if run.ended or run.age > run.timeout + overtime]


def oversized_runs(runs: Iterable[RunInfo]) -> list[str]:
    """Return the ids of oversized runs."""
    # More than the reply itself may be unread: a segment that was replaced had been
    # emitted before, and cannot be taken back.
    return [
        run.run_id
        for run in runs
        if run.unread > 2 * run.size or run.buffered > MAX_BUFFERED_EVENTS
    ]


def stray_tasks(
    tasks: Iterable[asyncio.Task[object]],
    known: Collection[asyncio.Task[object] | None],
    folder: str,
) -> list[asyncio.Task[object]]:
    """Return unknown tasks from a folder."""
    return [
        task for task in tasks if task not in known and _source(task).startswith(folder)
    ]


def stray_timers(
    handles: Iterable[asyncio.TimerHandle],
    known: Collection[object],
    folder: str,
) -> list[str]:
    """Return callbacks of unknown timers from a folder."""
    callbacks = armed_callbacks(handle for handle in handles if handle not in known)
    return [
        callback.__qualname__
        for callback in callbacks
        if inspect.isroutine(callback) and _file_of(callback).startswith(folder)
    ]


def wrong_counts(found: Iterable[str], expected: Mapping[str, int]) -> list[str]:
    """Return the names with unexpected counts."""
    counts = Counter(found)
    names = sorted({*counts, *expected})
    return [name for name in names if counts[name] != expected.get(name, 0)]


def changed_counts(
    baseline: Mapping[str, int], listeners: Mapping[str, Collection[object]]
) -> list[str]:
    """Return the events with changed listener counts."""
    found = (event for event, callables in listeners.items() for _ in callables)
    return wrong_counts(found, baseline)


def grown_counts(
    before: Mapping[str, int], after: Mapping[str, int], by: int = 1
) -> list[str]:
    """Return the names with increased counts."""
    return [name for name in sorted(after) if after[name] - before.get(name, 0) >= by]


def duplicates(listeners: Mapping[str, Collection[Callable[..., object]]]) -> list[str]:
    """Return the events with duplicate listeners."""
    # By `==`: a bound method is a new object at each access, so never `is` itself.
    return [
        event
        for event, callables in listeners.items()
        if any(list(callables).count(listener) > 1 for listener in callables)
    ]


def loop_lag(watch: LoopWatch, monitor: LoopMonitor, *, frequent: bool) -> Lag:
    """Return the lag of the event loop.

    In the self-test, and in the minutes before. `frequent`: each sample was blocked.
    """
    # The self-test's own blocks are not the host's fault.
    blocks = [
        block
        for block in watch.blocks
        if block.place is None or block.place.owner is not Owner.SELF_TEST
    ]
    total = sum(block.seconds for block in blocks)
    share = total / watch.seconds if watch.seconds else 0.0
    repeated = len(blocks) > 1 or total >= LONG_BLOCK
    earlier = [lag for lag in monitor.samples if lag >= loop_watch.MAX_LAG]
    earlier_share = sum(earlier) / monitor.seconds if earlier else 0.0
    return Lag(
        late=frequent
        or (repeated and total >= MIN_TOTAL_LAG and share >= MAX_LAG_SHARE)
        or (len(earlier) > 1 and earlier_share >= MAX_EARLIER_SHARE),
        longest=max([*(b.seconds for b in blocks), *earlier], default=0.0),
        share=max(share, earlier_share),
        blocker=_blocker(blocks, total),
    )


def _blocker(blocks: Iterable[Block], total: float) -> Place | None:
    """Return the code blocking for most of the time."""
    times: defaultdict[Place, float] = defaultdict(float)
    for block in blocks:
        if block.place:
            times[block.place] += block.seconds
    most = max(times, key=times.__getitem__, default=None)
    return most if most and times[most] >= total / 2 else None


def max_per_minute(times: Collection[float]) -> int:
    """Return the maximum count per minute."""
    return max(
        (sum(0 <= at - first < MINUTE for at in times) for first in times),
        default=0,
    )


def constant_delays(delays: Collection[float]) -> bool:
    """Return whether delays lack jitter."""
    return len(delays) >= MIN_DELAYS and len({round(d, 3) for d in delays}) == 1


def scheduled_timers(
    loop: asyncio.AbstractEventLoop,
) -> list[asyncio.TimerHandle] | None:
    """Return the timers of a loop, if accessible."""
    # asyncio lists its timers nowhere in public.
    handles = getattr(loop, "_scheduled", None)
    return list(handles) if isinstance(handles, list) else None


def armed_callbacks(
    handles: Iterable[asyncio.TimerHandle],
) -> list[Callable[..., object]]:
    """Return the callbacks of active timers."""
    return [
        inspect.unwrap(getattr(handle, "_callback", print))
        for handle in handles
        if not handle.cancelled()
    ]


def coroutine_of(task: asyncio.Task[object]) -> CoroutineType[Any, Any, Any] | None:
    """Return the coroutine of a task."""
    coroutine = task.get_coro()
    return coroutine if inspect.iscoroutine(coroutine) else None


def _source(task: asyncio.Task[object]) -> str:
    coroutine = coroutine_of(task)
    return coroutine.cr_code.co_filename if coroutine else ""


def _file_of(callback: object) -> str:
    function = getattr(callback, "__func__", callback)
    code = getattr(function, "__code__", None)
    return code.co_filename if code else ""
