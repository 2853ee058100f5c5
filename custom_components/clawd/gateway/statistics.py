"""Counters and frame trace of a client."""

from collections import Counter, deque
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
import time
from typing import Final, Literal, NamedTuple

TRACE_LENGTH: Final = 200
MAX_NAME_LENGTH: Final = 64


type Direction = Literal["in", "out"]


class Outcome(StrEnum):
    """Outcome of a request."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    LOST = "lost"
    CANCELLED = "cancelled"


class TraceEntry(NamedTuple):
    """Frame without its content; seconds since 1970, bytes."""

    at: float
    direction: Direction
    kind: str
    name: str
    size: int


@dataclass(slots=True)
class Statistics:
    """Counters since the client was created; they only grow."""

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    invalid_frames: int = 0
    requests_issued: int = 0
    requests_completed: int = 0
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    late_responses: int = 0
    duplicate_responses: int = 0
    unknown_responses: int = 0
    runs_started: int = 0
    runs_ended: int = 0
    foreign_run_events: int = 0
    sequence_gaps: int = 0
    connects: int = 0
    drops: int = 0
    listener_errors: int = 0
    trace_length: InitVar[int] = TRACE_LENGTH
    _trace: deque[tuple[float, Direction, str, str, int]] = field(
        init=False, repr=False
    )

    def __post_init__(self, trace_length: int) -> None:
        """Create the trace."""
        self._trace = deque(maxlen=trace_length)

    @property
    def trace(self) -> tuple[TraceEntry, ...]:
        """Return the last frames, oldest first."""
        start = time.time() - time.monotonic()
        return tuple(TraceEntry(start + frame[0], *frame[1:]) for frame in self._trace)

    def received(self, kind: str, name: str, size: int, at: float) -> None:
        """Count a received frame; `at` of the monotonic clock."""
        self.frames_in += 1
        self.bytes_in += size
        self._trace.append((at, "in", kind, name[:MAX_NAME_LENGTH], size))

    def sent(self, name: str, size: int) -> None:
        """Count a sent request."""
        self.frames_out += 1
        self.bytes_out += size
        self._trace.append((time.monotonic(), "out", "req", name, size))
