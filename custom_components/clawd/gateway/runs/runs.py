"""Open runs of a client."""

import logging
from typing import TYPE_CHECKING

from .run import AgentRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..exceptions import GatewayError
    from ..models import Timing
    from ..protocol.frames import Event
    from ..statistics import Statistics
    from .request import RunRequest
    from .run import RunInfo

_LOGGER = logging.getLogger(__name__)


class AgentRuns:
    """Open runs by run id."""

    def __init__(
        self,
        statistics: Statistics,
        timing: Timing,
        abort: Callable[[AgentRun], Awaitable[None]],
        on_expire: Callable[[AgentRun], None],
    ) -> None:
        """Initialize without runs."""
        self._statistics = statistics
        self._timing = timing
        self._abort = abort
        self._on_expire = on_expire
        self._runs: dict[str, AgentRun] = {}

    def snapshot(self) -> tuple[RunInfo, ...]:
        """Return the open runs, oldest first."""
        return tuple(run.info for run in self._runs.values())

    def open(self, request: RunRequest) -> AgentRun:
        """Return a run that gets its events until it ends."""
        run = AgentRun(
            request,
            self._timing,
            abort=self._abort,
            on_end=self.close,
            on_expire=self._on_expire,
        )
        self._runs[run.run_id] = run
        self._statistics.runs_started += 1
        _LOGGER.debug("Run %s started", run.run_id)
        return run

    def active(self) -> tuple[AgentRun, ...]:
        """Return the open runs, oldest first."""
        return tuple(self._runs.values())

    def close(self, run: AgentRun) -> None:
        """Remove a run; its later events count as foreign."""
        if self._runs.pop(run.run_id, None):
            self._statistics.runs_ended += 1

    def dispatch(self, event: Event, at: float) -> None:
        """Deliver an `agent` event; `at` is its time of the monotonic clock."""
        # A run's events go to every connection of the operator: others are counted.
        run = self._runs.get(str(event.payload.get("runId")))
        if run is None:
            self._statistics.foreign_run_events += 1
        else:
            run.deadlines.last_event_at = at
            run.stream.feed(event.payload)

    def mark_disconnected(self, error: GatewayError) -> None:
        """Mark the open runs as disconnected."""
        for run in self.active():
            run.mark_disconnected(error)

    def fail_all(self, error: GatewayError) -> None:
        """End every open run with an error."""
        for run in self.active():
            run.fail(error)
