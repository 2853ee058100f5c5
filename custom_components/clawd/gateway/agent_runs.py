"""The runs of one client."""

from dataclasses import replace
from typing import TYPE_CHECKING

from .agent_run import AgentRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .agent_run import RunInfo
    from .exceptions import GatewayError
    from .frames import Event, Payload
    from .models import Timing
    from .statistics import Statistics


class AgentRuns:
    """The runs under way, by run id."""

    def __init__(
        self,
        statistics: Statistics,
        timing: Timing,
        abort: Callable[[AgentRun], Awaitable[None]],
        on_expire: Callable[[AgentRun], None],
    ) -> None:
        """Start empty."""
        self._statistics = statistics
        self._timing = timing
        self._abort = abort
        self._on_expire = on_expire
        self._runs: dict[str, AgentRun] = {}

    def snapshot(self) -> tuple[RunInfo, ...]:
        """Return the open runs, oldest first."""
        return tuple(run.info for run in self._runs.values())

    def open(
        self,
        params: Payload,
        *,
        silence: float | None = None,
        deadline: float | None = None,
        tools: bool = False,
    ) -> AgentRun:
        """Return a run to which events are delivered until it ends.

        `silence` and `deadline` replace those of the timing; `tools` says whether
        to tell the steps with tools, too.
        """
        timing = self._timing
        run = AgentRun(
            params,
            replace(
                timing,
                run=timing.run if deadline is None else deadline,
                run_silence=timing.run_silence if silence is None else silence,
            ),
            abort=self._abort,
            on_end=self.close,
            on_expire=self._on_expire,
        )
        if tools:
            run.record_tools()
        self._runs[run.run_id] = run
        self._statistics.runs_started += 1
        return run

    def under_way(self) -> tuple[AgentRun, ...]:
        """Return the runs that have not ended, oldest first."""
        return tuple(self._runs.values())

    def close(self, run: AgentRun) -> None:
        """Forget a run; its later events count as foreign."""
        if self._runs.pop(run.run_id, None):
            self._statistics.runs_ended += 1

    def dispatch(self, event: Event, at: float) -> None:
        """Deliver an `agent` event; other operators' runs are only counted.

        `at` is when it came, of the monotonic clock.
        """
        run = self._runs.get(str(event.payload.get("runId")))
        if run is None:
            self._statistics.foreign_run_events += 1
        else:
            run.feed(event.payload, at)

    def suspend_all(self, error: GatewayError) -> None:
        """Keep every open run over the end of the connection."""
        for run in self.under_way():
            run.suspend(error)

    def fail_all(self, error: GatewayError) -> None:
        """End every open run with an error."""
        for run in self.under_way():
            run.fail(error)
