"""Event loop monitoring during a self-test."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from os import sep
from pathlib import Path
import sys
import sysconfig
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import FrameType

# Seconds between two samples. A callback that takes longer is a block.
INTERVAL: Final = 0.05
# Seconds of lag from which on a sample is a block; Home Assistant's own limit for a
# slow callback is the 100 ms of `asyncio`.
MAX_LAG: Final = 0.05
# Seconds between two stack samples of a blocked loop, and equal samples that prove the
# cause: a machine short of processor time may stop the loop anywhere, but not for long.
STACK_INTERVAL: Final = 0.02
MIN_STACKS: Final = 3

PACKAGE: Final = f"{Path(__file__).parents[1]}{sep}"
_SELF_TEST: Final = f"{Path(__file__).parent}{sep}"
_COMPONENTS: Final = f"components{sep}"
_LIBRARIES: Final = (
    f"{sysconfig.get_path('stdlib')}{sep}",
    f"{sep}site-packages{sep}",
    "<",  # <frozen importlib._bootstrap>
)


class Owner(Enum):
    """Owner of blocking code."""

    INTEGRATION = auto()
    SELF_TEST = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """Code blocking the loop."""

    owner: Owner
    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """Interval of a blocked loop.

    Attributes:
        end: on the loop's clock.
        place: code seen in most samples, if any.

    """

    end: float
    seconds: float
    place: Place | None = None


RUNNING: Final[set[LoopWatch]] = set()


class LoopWatch:
    """Lag of the event loop and its cause.

    A timer measures the lag. While it is overdue, a thread stacks where the loop's
    thread is.

    Attributes:
        blocks: those longer than `MAX_LAG`, oldest first.

    """

    def __init__(self) -> None:
        """Initialize; entering the context starts the watch."""
        self.blocks: list[Block] = []
        self._started = self._due = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle
        self._stacks: list[Place] = []
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        """Start the timer and the thread."""
        self._loop = loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._arm(loop)
        self._thread = threading.Thread(
            target=self._sample_stack,
            args=(loop, threading.get_ident()),
            name="clawd loop watch",
            daemon=True,
        )
        self._thread.start()
        RUNNING.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both."""
        RUNNING.discard(self)
        self._timer.cancel()
        self._loop = None
        self._stopped.set()
        self._thread.join()

    @property
    def timer(self) -> asyncio.TimerHandle:
        """Return the armed timer."""
        return self._timer

    @property
    def seconds(self) -> float:
        """Return the time since the start."""
        return self._loop.time() - self._started if self._loop else 0.0

    def now(self) -> float:
        """Return the loop's time."""
        return self._loop.time() if self._loop else 0.0

    def lag_since(self, start: float) -> float:
        """Return the blocked seconds since `start`."""
        blocks = (min(b.seconds, b.end - start) for b in self.blocks if b.end > start)
        # The block of a timer that is overdue is not known yet.
        overdue = self._overdue()
        return sum(blocks) + (min(overdue, self.now() - start) if overdue else 0.0)

    def _overdue(self) -> float:
        lag = self._loop.time() - self._due if self._loop else 0.0
        return lag if lag >= MAX_LAG else 0.0

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + INTERVAL
        self._timer = loop.call_at(self._due, self._sample, loop)

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        if overdue := self._overdue():
            place = _proven_place(self._stacks)
            self.blocks.append(Block(loop.time(), overdue, place))
        self._stacks = []
        self._arm(loop)

    def _sample_stack(self, loop: asyncio.AbstractEventLoop, thread_id: int) -> None:
        """Sample the stack of a blocked loop."""
        while not self._stopped.wait(STACK_INTERVAL):
            stacks = self._stacks
            frame = _frames().get(thread_id)
            if frame and loop.time() - self._due >= MAX_LAG:
                stacks.append(place_of(frame))


def _frames() -> dict[int, FrameType]:
    """Return the innermost frame of each thread."""
    # Documented, in spite of its name, but not for every interpreter.
    frames: dict[int, FrameType] = getattr(sys, "_current_frames", dict)()
    return frames


def place_of(frame: FrameType | None) -> Place:
    """Return the blocking code in a stack.

    The innermost frame of a component tells the owner: the blocking code may be a
    library, or called through one.
    """
    name = ""
    while frame:
        file = frame.f_code.co_filename
        if not name and not any(library in file for library in _LIBRARIES):
            name = _describe(frame)
        if file.startswith(_SELF_TEST):
            return Place(Owner.SELF_TEST, name)
        if file.startswith(PACKAGE):
            return Place(Owner.INTEGRATION, name)
        if _COMPONENTS in file:
            return Place(Owner.OTHER, name or _describe(frame))
        frame = frame.f_back
    return Place(Owner.OTHER, name)


def _proven_place(stacks: list[Place]) -> Place | None:
    """Return the most frequent place, if significant."""
    for place, count in Counter(stacks).most_common(1):
        return place if count >= MIN_STACKS else None
    return None


def _describe(frame: FrameType) -> str:
    """Return name and file of a function."""
    *_, folder, file = Path("-", frame.f_code.co_filename).parts
    return f"{frame.f_code.co_qualname} ({folder}/{file})"
