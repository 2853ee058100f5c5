"""Rate limits of tool calls."""

from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Final

from ..gateway import NodeCallError
from ..util.bounded import remember

if TYPE_CHECKING:
    from collections.abc import Callable

# A person asks for a few things at once; an agent in a loop calls without end.
MAX_CALLS_OF_RUN: Final = 20
MAX_SAME_CALLS_OF_RUN: Final = 3
MAX_CALLS_OF_WINDOW: Final = 60
WINDOW: Final = 60.0
MAX_RUNS: Final = 256
# Unsolicited messages of an agent: each one disturbs the user.
MAX_MESSAGES_OF_MINUTE: Final = 5
MAX_MESSAGES_OF_HOUR: Final = 30
HOUR: Final = 3600.0
# Camera pictures of an agent: each one is a request to its model.
MAX_LOOKS_OF_MINUTE: Final = 10
MAX_LOOKS_OF_HOUR: Final = 60
# Questions of other assistants to an agent: two may ask each other in a loop.
MAX_ASKED_OF_MINUTE: Final = 10
MAX_ASKED_OF_HOUR: Final = 60
# Seconds before the deadline of a call, for its result.
RESULT_MARGIN: Final = 1.0

# Seconds without calls that end a run of a session from elsewhere, as its runs are
# unknown.
SESSION_PAUSE: Final = 120.0

TOO_MANY_CALLS: Final = "TOO_MANY_CALLS"
TIMEOUT: Final = "TIMEOUT"


class CallLimits:
    """Counts of control calls.

    Per run, and per entry.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Initialize without calls."""
        self._clock = clock
        self._runs: OrderedDict[str, tuple[float, Counter[str]]] = OrderedDict()
        self._window: deque[float] = deque()

    @property
    def recent(self) -> int:
        """Return the calls of the last minute."""
        now = self._clock()
        return sum(now - at < WINDOW for at in self._window)

    def count(self, run: str, call: str, *, is_session: bool = False) -> None:
        """Count a call of a run.

        Or of a session with unknown runs.

        Raises:
            NodeCallError: it is one too many.

        """
        now = self._clock()
        last, counts = self._runs.get(run, (now, Counter[str]()))
        if is_session and now - last > SESSION_PAUSE:
            counts = Counter()
        remember(self._runs, run, (now, counts), MAX_RUNS)
        if counts[call] >= MAX_SAME_CALLS_OF_RUN:
            raise _too_many(
                f"the same call at most {MAX_SAME_CALLS_OF_RUN} times a run"
            )
        if counts.total() >= MAX_CALLS_OF_RUN:
            raise _too_many(f"at most {MAX_CALLS_OF_RUN} control calls a run")
        _forget(self._window, now - WINDOW)
        if len(self._window) >= MAX_CALLS_OF_WINDOW:
            raise _too_many(f"at most {MAX_CALLS_OF_WINDOW} control calls a minute")
        counts[call] += 1
        self._window.append(now)


class AgentLimits:
    """Counts by agent.

    Of messages, of pictures, or of questions from other assistants.
    """

    def __init__(
        self, clock: Callable[[], float], noun: str, of_minute: int, of_hour: int
    ) -> None:
        """Initialize without calls."""
        self._clock = clock
        self._noun = noun
        self._of_minute = of_minute
        self._of_hour = of_hour
        self._calls: dict[str, deque[float]] = {}

    @property
    def recent(self) -> int:
        """Return the calls of the last hour."""
        now = self._clock()
        return sum(now - at < HOUR for calls in self._calls.values() for at in calls)

    def count(self, agent: str) -> None:
        """Count a call of an agent.

        Raises:
            NodeCallError: it is one too many.

        """
        now = self._clock()
        calls = self._calls.setdefault(agent, deque())
        _forget(calls, now - HOUR)
        if sum(now - at < WINDOW for at in calls) >= self._of_minute:
            raise _too_many(f"at most {self._of_minute} {self._noun} a minute")
        if len(calls) >= self._of_hour:
            raise _too_many(f"at most {self._of_hour} {self._noun} an hour")
        calls.append(now)


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


def _too_many(limit: str) -> NodeCallError:
    return NodeCallError(
        TOO_MANY_CALLS,
        f"Not done: Home Assistant takes {limit}. Do not try again now; tell the user.",
    )
