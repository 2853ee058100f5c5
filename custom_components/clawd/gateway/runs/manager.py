"""Start, resend and recovery of a client's runs."""

import asyncio
from functools import partial
import time
from typing import TYPE_CHECKING, Final

from ..exceptions import (
    AgentRunError,
    NotConnectedError,
    UnexpectedError,
    stopped_error,
)
from ..statistics import RunOutcome
from .aborts import STOP_TIMEOUT, Aborts
from .recovery import complete, recover
from .runs import AgentRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..exceptions import RequestFailedError
    from ..models import Json, Timing
    from ..protocol.connection import Connection, ConnectionTask
    from ..statistics import Statistics
    from ..tasks import TaskRegistry
    from .request import RunRequest
    from .run import AgentRun

# Seconds from the question to which `AgentRun.extend()` moves the deadline at most.
MAX_EXTENSION: Final = 3600.0


class RunManager:
    """Runs of a client, from their requests to their ends.

    Attributes:
        runs: open runs.

    """

    def __init__(  # noqa: PLR0913 - what a client has
        self,
        connection: Callable[[], Connection | None],
        tasks: TaskRegistry,
        statistics: Statistics,
        timing: Timing,
        *,
        on_failure: Callable[[Exception], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Send on the current connection.

        `on_failure` gets unexpected exceptions of recoveries.
        """
        self._connection = connection
        self._tasks = tasks
        self._statistics = statistics
        self._timing = timing
        self._on_failure = on_failure
        self._is_stopping = is_stopping
        self._aborts = Aborts(connection, tasks)
        self.runs = AgentRuns(
            statistics,
            timing,
            self._aborts.abort,
            self._aborts.end_expired,
            on_refused=self._resend,
            on_incomplete=self._fetch_reply,
        )

    async def start(self, request: RunRequest) -> AgentRun:
        """Start a run; return once the Gateway has accepted it.

        Raises:
            NotConnectedError: there is no connection.
            RequestFailedError: the Gateway refused the run.

        """
        if (connection := self._connection()) is None:
            error = NotConnectedError.__name__
            outcome = RunOutcome(time.time(), "NOT_CONNECTED", error)
            self._statistics.run_outcomes.append(outcome)
            raise _not_connected()
        # Registered before it is sent: the events of a fast reply come at once.
        run = self.runs.open(request)
        try:
            await self._send(connection, run)
            return await run.wait_accepted()
        except BaseException:
            if not run.ended:
                run.fail(stopped_error())
                # A client that takes the place of this one may resume the run.
                if not self._is_stopping():
                    self._aborts.abort_in_background(run)
            raise

    def resume(
        self, request: RunRequest, asked_at: float, *, accepted: bool
    ) -> AgentRun:
        """Return a run that an earlier client has started."""
        run = self.runs.open(request)
        run.resume(asked_at, accepted=accepted)
        if (connection := self._connection()) is None:
            run.mark_disconnected(_not_connected())
        else:
            self._tasks.spawn(self._recover(run, connection), "recovery")
        return run

    def reconnect_tasks(self, connection: Connection) -> list[ConnectionTask]:
        """Return the recoveries and aborts to run."""
        recoveries: list[ConnectionTask] = [
            ("recovery", self._recover(run, connection)) for run in self.runs.active()
        ]
        return recoveries + self._aborts.reconnect_tasks()

    async def _send(self, connection: Connection, run: AgentRun) -> None:
        def accept(payload: Json) -> float:
            self.runs.accept(run, payload)
            # The run ends the request by its own deadlines, which may be extended; the
            # final response also tells whether an expired run was stopped.
            return max(run.timeout, MAX_EXTENSION) + STOP_TIMEOUT

        timeout, method = self._timing.request_timeout, run.request.method.name
        if run.request.by_chat:
            request = connection.pending.open(method, timeout)
            run.attach_start(request.future)
        else:
            request = connection.pending.open(method, timeout, accept)
            run.attach_response(request.future)
        await connection.send(request, run.request.params)

    def _resend(self, run: AgentRun, error: RequestFailedError) -> bool:
        """Retry a refused run, if time permits."""
        # v4, seconds after its start: {"code": "UNAVAILABLE", "message": "Agent
        # database open was revoked"}. The key is the same, so nothing runs twice.
        delay = self._timing.resend_delay * 2.0 ** (run.attempts - 1)
        delay = max(delay, error.retry_after or 0.0)
        in_time = run.deadlines.age + delay < self._timing.request_timeout
        connection = self._connection()
        if connection is None or not error.retryable or not in_time:
            return False
        later = self._send_later(connection, run, delay)
        self._tasks.spawn(later, "recovery resend")
        return True

    async def _send_later(
        self, connection: Connection, run: AgentRun, delay: float
    ) -> None:
        await asyncio.sleep(delay)
        # Another connection recovers the run by itself.
        if connection is self._connection() and not (run.accepted or run.ended):
            await self._send(connection, run)

    def _fetch_reply(self, run: AgentRun) -> bool:
        """Fetch a reply from the session's history.

        Return whether the run can be completed from it.
        """
        connection = self._connection()
        if connection is None or (
            run.answered and not connection.hello.answers_in_parts
        ):
            return False
        self._tasks.spawn(self._recover(run, connection), "recovery")
        return True

    async def _recover(self, run: AgentRun, connection: Connection) -> None:
        """Recover a run, and isolate its failures."""
        try:
            if run.answered:
                await complete(run, connection)
            elif run.resumed:
                await recover(run, connection, _not_started)
            else:
                await recover(run, connection, partial(self._send, connection, run))
        except Exception as err:  # noqa: BLE001 - see above
            self._statistics.task_failures["recovery"] += 1
            self._on_failure(err)
            run.fail(UnexpectedError())


async def _not_started() -> None:
    """Refuse to resend a shortened message."""
    raise AgentRunError("the Gateway does not know the run", code="RUN_LOST")


def _not_connected() -> NotConnectedError:
    return NotConnectedError("not connected to the Gateway")
