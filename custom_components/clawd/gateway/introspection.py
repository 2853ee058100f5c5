"""Client internals for self-test and diagnostics."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from .events import EventListeners
    from .history import ClientHistory
    from .protocol.connection import Connection
    from .protocol.pending import PendingRequest
    from .runs.run import RunInfo
    from .runs.runs import AgentRuns
    from .state import Transition
    from .statistics import RunOutcome, StoreErrors
    from .tasks import TaskRegistry


class Introspection:
    """Read access to client internals.

    Attributes:
        history: evidence that outlives the client.

    """

    def __init__(
        self,
        connection: Callable[[], Connection | None],
        history: ClientHistory,
        tasks: TaskRegistry,
        runs: AgentRuns,
        *listeners: EventListeners[Any],
    ) -> None:
        """Read from the parts of a client."""
        self._connection = connection
        self.history = history
        self._tasks = tasks
        self._runs = runs
        self._listeners = listeners

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        return self.history.transitions.snapshot()

    @property
    def run_outcomes(self) -> tuple[RunOutcome, ...]:
        """Return the last run outcomes, oldest first."""
        return tuple(self.history.statistics.run_outcomes)

    @property
    def store_errors(self) -> StoreErrors:
        """Return the failed writes of stores."""
        return self.history.statistics.store_errors

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """Return the open runs, oldest first."""
        return self._runs.snapshot()

    @property
    def foreign_runs(self) -> int:
        """Return the number of open foreign runs."""
        return len(self._runs.foreign)

    @property
    def tasks(self) -> dict[asyncio.Task[object], str]:
        """Return the running tasks and names."""
        return self._tasks.snapshot()

    @property
    def task_failures(self) -> Mapping[str, int]:
        """Return the failed tasks, counted by name."""
        return self._tasks.failures

    @property
    def pending(self) -> tuple[PendingRequest, ...]:
        """Return the open requests, oldest first."""
        connection = self._connection()
        return connection.pending.snapshot() if connection else ()

    @property
    def timers(self) -> set[asyncio.TimerHandle]:
        """Return the timers of requests and runs."""
        requests = {request.timer for request in self.pending}
        return requests | {run.timer for run in self._runs.active()}

    @property
    def listeners(self) -> Mapping[str, tuple[Callable[..., object], ...]]:
        """Return the listeners by event.

        Those of the state are included.
        """
        return {
            name: found
            for listeners in self._listeners
            for name, found in listeners.snapshot().items()
        }

    @property
    def receive_limit(self) -> int | None:
        """Return the receive limit, if connected.

        In bytes.
        """
        connection = self._connection()
        return connection.receive_limit if connection else None

    @property
    def seconds_since_last_frame(self) -> float | None:
        """Return the idle time, if connected.

        In seconds.
        """
        connection = self._connection()
        return connection.seconds_since_last_frame if connection else None
