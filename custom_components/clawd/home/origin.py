"""Origins of runs."""

from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..util.bounded import remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Sessions remembered after their last run, and for how long (seconds): sub-agents
# outlive the run that started them. OpenClaw archives theirs after an hour.
MAX_SESSIONS: Final = 256
MAX_AGE: Final = 3600.0


@dataclass(frozen=True, slots=True)
class CallOrigin:
    """Origin of a run and its calls.

    Attributes:
        context_id: context of the question.
        by_person: a person said or wrote the question, no automation.
        turn: number of the run.
        asked_at: start of the run, on the registry's clock.

    """

    subentry_id: str
    conversation_id: str
    language: str
    user_id: str | None = None
    device_id: str | None = None
    context_id: str | None = None
    by_person: bool = False
    turn: int = 0
    asked_at: float = 0.0


class OriginRegistry:
    """Current and last origin by session."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Initialize without runs."""
        self._clock = clock
        self._current: dict[str, CallOrigin] = {}
        self._last: OrderedDict[str, tuple[float, CallOrigin]] = OrderedDict()
        self._turns = 0

    @contextmanager
    def run(self, session_key: str, origin: CallOrigin) -> Iterator[CallOrigin]:
        """Set the origin of a session's calls."""
        self._turns += 1
        origin = replace(origin, turn=self._turns, asked_at=self._clock())
        self._current[session_key] = origin
        try:
            yield origin
        finally:
            del self._current[session_key]
            last = self._clock(), origin
            remember(self._last, session_key, last, MAX_SESSIONS)

    @property
    def last_session(self) -> str | None:
        """Return the session of the last run."""
        return next(reversed(self._last), None)

    def current(self, session_key: str) -> CallOrigin | None:
        """Return the origin of the current run."""
        return self._current.get(session_key)

    def latest(self, session_key: str) -> CallOrigin | None:
        """Return the origin of the latest run."""
        if origin := self._current.get(session_key):
            return origin
        at, origin = self._last.get(session_key, (0.0, None))
        return origin if self._clock() - at <= MAX_AGE else None
