"""Open runs of a client."""

from collections import deque
import logging
from typing import TYPE_CHECKING, Final

from .foreign import ForeignRuns
from .run import AgentRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..exceptions import GatewayError
    from ..models import Json, Timing
    from ..protocol.frames import Event
    from ..statistics import Statistics
    from .request import RunRequest
    from .run import OnIncomplete, OnRefused, RunInfo

# Ids of ended runs; their late events do not count as foreign.
MAX_ENDED_IDS: Final = 256

_LOGGER = logging.getLogger(__name__)


class AgentRuns:
    """Open runs by run id.

    Attributes:
        foreign: runs of others in sessions that are followed.

    """

    def __init__(  # noqa: PLR0913 - two have a default
        self,
        statistics: Statistics,
        timing: Timing,
        abort: Callable[[AgentRun], Awaitable[bool]],
        on_expire: Callable[[AgentRun], None],
        *,
        on_refused: OnRefused = lambda *_: False,
        on_incomplete: OnIncomplete = lambda _: False,
    ) -> None:
        """Initialize without runs.

        The callbacks are those of each run.
        """
        self._statistics = statistics
        self._timing = timing
        self._abort = abort
        self._on_expire = on_expire
        self._on_refused = on_refused
        self._on_incomplete = on_incomplete
        self._runs: dict[str, AgentRun] = {}
        # By the other ids that v4 may return in `accepted`.
        self._renamed: dict[str, AgentRun] = {}
        self._ended_ids: deque[str] = deque(maxlen=MAX_ENDED_IDS)
        self.foreign = ForeignRuns()

    def snapshot(self) -> tuple[RunInfo, ...]:
        """Return the open runs, oldest first."""
        return tuple(run.info for run in self._runs.values())

    def open(self, request: RunRequest) -> AgentRun:
        """Register a run until its end."""
        run = AgentRun(
            request,
            self._timing,
            abort=self._abort,
            on_end=self.close,
            on_expire=self._on_expire,
            on_refused=self._on_refused,
            on_incomplete=self._on_incomplete,
            on_skipped=self._count_skipped,
        )
        self._runs[run.run_id] = run
        self._statistics.runs_started += 1
        _LOGGER.debug("Run %s started", run.run_id)
        return run

    @property
    def awaits_chat(self) -> bool:
        """Return whether any run awaits a `chat` event."""
        return any(run.request.by_chat for run in self._runs.values())

    def active(self) -> tuple[AgentRun, ...]:
        """Return the open runs, oldest first."""
        return tuple(self._runs.values())

    def accept(self, run: AgentRun, payload: Json) -> None:
        """Accept a run under the Gateway's id."""
        match payload:
            case {"runId": str(run_id)} if run_id and not run.ended:
                self._forget_id(run)
                run.gateway_id = run_id
                # An id of two runs leads to the one that had it first.
                self._renamed.setdefault(run_id, run)
        run.accept()

    def close(self, run: AgentRun) -> None:
        """Remove a run.

        Its later events count as foreign.
        """
        if self._runs.pop(run.run_id, None):
            self._forget_id(run)
            self._ended_ids += dict.fromkeys((run.run_id, run.gateway_id))
            self._statistics.runs_ended += 1
            self._statistics.run_outcomes.append(run.outcome)

    def dispatch(self, event: Event, at: float) -> None:
        """Deliver an `agent` event.

        `at` is of the monotonic clock.
        """
        # A run's events go to every connection of the operator: others are counted.
        run = self._of_event(event)
        if run is None:
            self._statistics.foreign_run_events += 1
            if event.payload.get("runId") not in self._ended_ids:
                self.foreign.feed(event.payload)
        else:
            run.deadlines.last_event_at = at
            if run.streamed:
                run.stream.feed(event.payload)

    def dispatch_chat(self, event: Event) -> None:
        """Deliver a `chat` event."""
        run = self._of_event(event)
        if run and run.request.by_chat:
            run.handle_chat(event.payload)

    def mark_incomplete(self) -> None:
        """Mark the open runs as incomplete.

        They end with the reply in the history.
        """
        for run in self.active():
            run.stream.missed = True
        self.foreign.mark_incomplete()

    def mark_disconnected(self, error: GatewayError) -> None:
        """Mark the open runs as disconnected."""
        for run in self.active():
            run.mark_disconnected(error)
        self.foreign.mark_incomplete()

    def fail_all(self, error: GatewayError) -> None:
        """End every open run with an error."""
        for run in self.active():
            run.fail(error)

    def _of_event(self, event: Event) -> AgentRun | None:
        run_id = str(event.payload.get("runId"))
        return self._runs.get(run_id) or self._renamed.get(run_id)

    def _forget_id(self, run: AgentRun) -> None:
        if self._renamed.get(run.gateway_id) is run:
            del self._renamed[run.gateway_id]

    def _count_skipped(self) -> None:
        self._statistics.skipped_run_events += 1
