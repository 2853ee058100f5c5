"""Statistics of a client."""

from collections import Counter, deque
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
import time
from typing import Final, Literal, NamedTuple

TRACE_LENGTH: Final = 200
MAX_NAME_LENGTH: Final = 64
MAX_RUN_OUTCOMES: Final = 10
# Codes come from the Gateway, which may send any number of them.
MAX_ERROR_CODES: Final = 64
OTHER_CODE: Final = "OTHER"

type Direction = Literal["in", "out"]


class Outcome(StrEnum):
    """Outcome of a request."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    LOST = "lost"
    CANCELLED = "cancelled"


class TraceEntry(NamedTuple):
    """Frame in the trace, without content.

    Seconds since 1970, bytes.
    """

    at: float
    direction: Direction
    kind: str
    name: str
    size: int


class RunOutcome(NamedTuple):
    """Outcome of a question, without content.

    Attributes:
        at: of the end, in seconds since 1970.
        code: `ok`, or the code of the error.
        error: class of the error.
        accepted: the Gateway had accepted it.
        seconds: from question to end.
        attempts: how often it was sent.

    """

    at: float
    code: str
    error: str | None = None
    accepted: bool = False
    seconds: float = 0.0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StoreErrors:
    """Failed writes of stores.

    With the class of the last error.
    """

    count: int = 0
    last: str | None = None


@dataclass(slots=True)
class Statistics:
    """Counters of a client and its predecessors.

    Attributes:
        invalid_frames: frames that could not be decoded.
        repaired_frames: frames that only a tolerant reader takes.
        skipped_run_events: events of our runs that were not used, and no repeats.
        main_loop_errors: unexpected exceptions of the client's main loop.
        drill_drops: drops caused by drills.
        closes: ends of connections, by closing side and close code.
        errors: failed requests by method and code.
        run_outcomes: ends of the last questions, oldest first.
        store_errors: failed writes of stores.
        task_failures: tasks that ended with an exception, by name.

    """

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    invalid_frames: int = 0
    repaired_frames: int = 0
    requests_issued: int = 0
    requests_completed: int = 0
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    late_responses: int = 0
    duplicate_responses: int = 0
    unknown_responses: int = 0
    runs_started: int = 0
    runs_ended: int = 0
    foreign_run_events: int = 0
    skipped_run_events: int = 0
    sequence_gaps: int = 0
    connects: int = 0
    reconnects: int = 0
    drops: int = 0
    drill_drops: int = 0
    listener_errors: int = 0
    main_loop_errors: int = 0
    closes: Counter[tuple[str, int]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    run_outcomes: deque[RunOutcome] = field(
        default_factory=lambda: deque(maxlen=MAX_RUN_OUTCOMES)
    )
    store_errors: StoreErrors = field(default_factory=StoreErrors)
    task_failures: Counter[str] = field(default_factory=Counter)
    trace_length: InitVar[int] = TRACE_LENGTH
    _trace: deque[tuple[float, Direction, str, str, int]] = field(
        init=False, repr=False
    )

    def __post_init__(self, trace_length: int) -> None:
        """Create the trace."""
        self._trace = deque(maxlen=trace_length)

    def resize_trace(self, length: int) -> None:
        """Keep so many frames from now on."""
        self._trace = deque(self._trace, length)

    @property
    def trace(self) -> tuple[TraceEntry, ...]:
        """Return the last frames, oldest first."""
        start = time.time() - time.monotonic()
        return tuple(TraceEntry(start + frame[0], *frame[1:]) for frame in self._trace)

    def received(self, kind: str, name: str, size: int, at: float) -> None:
        """Count a received frame.

        `at` is of the monotonic clock.
        """
        self.frames_in += 1
        self.bytes_in += size
        self._trace.append((at, "in", kind, name[:MAX_NAME_LENGTH], size))

    def sent(self, name: str, size: int) -> None:
        """Count a sent request."""
        self.frames_out += 1
        self.bytes_out += size
        self._trace.append((time.monotonic(), "out", "req", name, size))

    def mark(self, direction: Direction, kind: str, name: str) -> None:
        """Add a close or drill to the trace."""
        self._trace.append((time.monotonic(), direction, kind, name, 0))

    def closed(self, by: str | None, code: int) -> None:
        """Count the end of a connection."""
        self.closes[by or "nobody", code] += 1
        self.mark("out" if by == "us" else "in", "close", str(code))

    def count_error(self, method: str, code: str) -> None:
        """Count a failed request."""
        known = (method, code) in self.errors or len(self.errors) < MAX_ERROR_CODES
        self.errors[method, code if known else OTHER_CODE] += 1

    def store_failed(self, error: str) -> None:
        """Count a failed write.

        `error` is the class.
        """
        self.store_errors = StoreErrors(self.store_errors.count + 1, error)
