"""Limits of calls that control the home, against an agent that runs away."""

from collections import Counter, OrderedDict, deque
from typing import TYPE_CHECKING, Final

from ..gateway import NodeCallError

if TYPE_CHECKING:
    from collections.abc import Callable

# A person asks for a few things at once; an agent in a loop calls without end.
MAX_CALLS_OF_RUN: Final = 20
MAX_SAME_CALLS_OF_RUN: Final = 3
MAX_CALLS_OF_WINDOW: Final = 60
WINDOW: Final = 60.0
MAX_RUNS: Final = 256
# Of what an agent says first: a person says a few things, and each one disturbs.
MAX_MESSAGES_OF_MINUTE: Final = 5
MAX_MESSAGES_OF_HOUR: Final = 30
HOUR: Final = 3600.0
# Seconds without calls after which a session from elsewhere, whose runs are not known,
# is taken to be in another run.
SESSION_PAUSE: Final = 120.0

TOO_MANY_CALLS: Final = "TOO_MANY_CALLS"


class CallLimits:
    """Counts of control calls: of each run, and of an entry."""

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
        """Count a call of a run, or of a session whose runs are not known.

        Raises:
            NodeCallError: it is one too many.

        """
        now = self._clock()
        last, counts = self._runs.get(run, (now, Counter[str]()))
        if is_session and now - last > SESSION_PAUSE:
            counts = Counter()
        self._runs[run] = now, counts
        self._runs.move_to_end(run)
        if len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
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


class MessageLimits:
    """Counts of announcements, questions and notifications, by agent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Initialize without messages."""
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}

    @property
    def recent(self) -> int:
        """Return the messages of the last hour."""
        now = self._clock()
        return sum(now - at < HOUR for sent in self._sent.values() for at in sent)

    def count(self, agent: str) -> None:
        """Count a message of an agent.

        Raises:
            NodeCallError: it is one too many.

        """
        now = self._clock()
        sent = self._sent.setdefault(agent, deque())
        _forget(sent, now - HOUR)
        if sum(now - at < WINDOW for at in sent) >= MAX_MESSAGES_OF_MINUTE:
            raise _too_many(f"at most {MAX_MESSAGES_OF_MINUTE} messages a minute")
        if len(sent) >= MAX_MESSAGES_OF_HOUR:
            raise _too_many(f"at most {MAX_MESSAGES_OF_HOUR} messages an hour")
        sent.append(now)


def _forget(times: deque[float], until: float) -> None:
    while times and times[0] <= until:
        times.popleft()


def _too_many(limit: str) -> NodeCallError:
    return NodeCallError(
        TOO_MANY_CALLS,
        f"Not done: Home Assistant takes {limit}. Do not try again now; tell the user.",
    )
