"""The client of a Gateway: stays connected, sends requests, starts runs."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

from .aborts import Aborts
from .agent_runs import AgentRuns
from .backoff import Backoff, least_delay, pause_of
from .connection import SHUTDOWN, Connection
from .events import EventListeners
from .exceptions import CannotConnectError, GatewayError, NotConnectedError
from .link import GatewayLink
from .models import Timing
from .recovery import recover
from .state import Cause, ConnectionState, StateHistory
from .statistics import TRACE_LENGTH, Statistics
from .survey import survey
from .suspension import SuspensionWatch
from .tasks import TaskRegistry
from .upgrade import open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from .agent_run import AgentRun, RunInfo
    from .backoff import Pause
    from .connection import Duty
    from .credentials import Credentials
    from .endpoint import Endpoint
    from .events import Listener
    from .frames import Event
    from .models import Hello
    from .state import Transition
    from .survey import Survey

AGENT: Final = "agent"
STATE_TOPIC: Final = "client.state"


class GatewayClient(GatewayLink):
    """A connection to one Gateway that comes back by itself.

    `run()` is its only long-lived coroutine: while it runs, the client connects
    and reconnects; when it is cancelled, nothing is left behind.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        timing: Timing | None = None,
        suspension: SuspensionWatch | None = None,
        trace_length: int = TRACE_LENGTH,
    ) -> None:
        """Prepare; nothing happens before `run()` or `probe()`.

        `trace_length` is how many frames the trace remembers.
        """
        super().__init__()
        self._endpoint = endpoint
        self._credentials = credentials
        self._timing = timing or Timing()
        self._suspension = suspension or SuspensionWatch()
        self._history = StateHistory()
        self._rest: asyncio.Future[Cause] | None = None
        self.statistics = Statistics(trace_length=trace_length)
        self._tasks = TaskRegistry()
        self._aborts = Aborts(lambda: self._connection, self._tasks)
        self._runs = AgentRuns(
            self.statistics, self._timing, self._aborts.abort, self._aborts.give_up
        )
        self._events: EventListeners[Event] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._observers: EventListeners[Transition] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._backoff = Backoff(self._timing)

    @property
    def state(self) -> ConnectionState:
        """Return the state of the connection."""
        return self._history.state

    @property
    def last_error(self) -> GatewayError | None:
        """Return the error that led to the present state, if one did."""
        return self._history.error

    @property
    def endpoint(self) -> Endpoint:
        """Return where the Gateway is meant to listen."""
        return self._endpoint

    @property
    def task_failures(self) -> Mapping[str, int]:
        """Return how many tasks of each name ended with an exception."""
        return self._tasks.failures

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """Return the last changes of state, oldest first."""
        return self._history.snapshot()

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """Return the runs under way, oldest first."""
        return self._runs.snapshot()

    @property
    def tasks(self) -> dict[asyncio.Task[object], str]:
        """Return the tasks that this client owns, with their names."""
        return self._tasks.snapshot()

    @property
    def timers(self) -> set[asyncio.TimerHandle]:
        """Return the timers of the requests and runs under way."""
        requests = {request.timer for request in self.pending}
        return requests | {run.timer for run in self._runs.under_way()}

    @property
    def listeners(self) -> Mapping[str, tuple[Callable[..., object], ...]]:
        """Return the listeners of each event that has any, and of the state."""
        return {**self._events.snapshot(), **self._observers.snapshot()}

    async def run(self) -> None:
        """Connect, and connect again whenever the connection ends; until cancelled."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.add(task, "run")
        try:
            self._change(Cause.STARTED)
            while True:
                await self._wait_before_retry(await self._live_once())
        finally:
            self._tasks.discard(task)
            await self._close(_stopped())

    async def probe(self) -> Survey:
        """Connect once, close again and return what the Gateway is and offers.

        Raises:
            GatewayError: why it could not be done.

        """
        try:
            self._change(Cause.STARTED)
            async with self._connected() as connection:
                return await survey(connection)
        finally:
            await self._close(_stopped())

    async def wait_connected(self, *, patient: bool = True) -> Hello:
        """Wait until there is a connection; through retries if `patient`.

        Raises:
            GatewayError: the error that needs the user, closed the client or, if
                not patient, made the first attempt fail.

        """
        while True:
            match self.state:
                case ConnectionState.CONNECTED if self.hello:
                    return self.hello
                case ConnectionState.PAUSED | ConnectionState.CLOSED if self.last_error:
                    raise self.last_error
                case ConnectionState.RECONNECTING if not patient and self.last_error:
                    raise self.last_error
            await self._history.changed()

    def resume(self) -> None:
        """Try again at once, where the client waits for its user or a delay."""
        if self._rest and not self._rest.done():
            self._rest.set_result(Cause.RESUMED)

    def subscribe(self, event: str, listener: Listener[Event]) -> Callable[[], None]:
        """Call `listener` on each event of this name; return the unsubscribe."""
        return self._events.subscribe(event, listener)

    def subscribe_state(self, listener: Listener[Transition]) -> Callable[[], None]:
        """Call `listener` on each change of state; return the unsubscribe."""
        return self._observers.subscribe(STATE_TOPIC, listener)

    async def start_run(  # noqa: PLR0913 - a question has that many sides
        self,
        message: str,
        *,
        session_key: str,
        extra_system_prompt: str | None = None,
        thinking: str | None = None,
        silence: float | None = None,
        deadline: float | None = None,
        tools: bool = False,
    ) -> AgentRun:
        """Ask an agent; return once the Gateway has taken the run.

        `session_key` has the form `agent:<agent id>:<rest>`, lower case. The run
        is given up after `silence` seconds without news, or `deadline` in all.
        `tools` adds the steps with tools to its parts.

        Raises:
            NotConnectedError: there is no connection.
            RequestFailedError: the Gateway did not take the run.

        """
        connection = self._require_connection()
        params = {
            "message": message,
            "sessionKey": session_key,
            "idempotencyKey": uuid4().hex,
        }
        if extra_system_prompt:
            params["extraSystemPrompt"] = extra_system_prompt
        if thinking:
            params["thinking"] = thinking
        run = self._runs.open(params, silence=silence, deadline=deadline, tools=tools)
        try:
            await self._send_run(connection, run)
            return await run.wait_accepted()
        except BaseException:
            if not run.ended:
                run.fail(_stopped())
                self._aborts.give_up(run)
            raise

    async def _send_run(self, connection: Connection, run: AgentRun) -> None:
        def accept() -> float:
            run.accept()
            return run.deadline

        request = connection.pending.open("agent", self._timing.request, accept)
        run.expect(request.future)
        await connection.send(request, run.params)

    async def _close(self, error: GatewayError) -> None:
        self._runs.fail_all(error)
        self._change(Cause.STOPPED, error)
        await self._tasks.cancel_all("listener", "abort")

    def _duties(self, connection: Connection) -> list[Duty]:
        """Return what a new connection has to see to, for the one before."""
        recoveries: list[Duty] = [
            (
                "recovery",
                recover(run, connection, partial(self._send_run, connection, run)),
            )
            for run in self._runs.under_way()
        ]
        return recoveries + self._aborts.duties()

    async def _live_once(self) -> GatewayError:
        try:
            async with self._connected() as connection:
                self._connection = connection
                self.statistics.connects += 1
                duties = self._duties(connection)
                self._change(Cause.AGREED)
                error = await connection.serve(self._tasks, self._suspension, duties)
                self._end_connection(connection, error)
        except GatewayError as err:
            return err
        return error

    def _end_connection(self, connection: Connection, error: GatewayError) -> None:
        self.statistics.drops += 1
        if connection.age > connection.hello.policy.tick_interval:
            self._backoff.reset()
        connection.pending.fail_all(error)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        deadline = asyncio.get_running_loop().time() + self._timing.connect
        connection = await self._open_connection(deadline)
        try:
            self._change(Cause.OPENED)
            await connection.handshake(self._credentials, deadline)
            yield connection
        finally:
            self._connection = None
            await connection.close(_stopped())

    async def _open_connection(self, deadline: float) -> Connection:
        try:
            async with asyncio.timeout_at(deadline):
                socket = await open_socket(self._endpoint, self._timing)
        except TimeoutError:
            raise CannotConnectError("no answer in time", code="TIMEOUT") from None
        return Connection(
            socket, self._timing, self.statistics, self._dispatch, self._wants
        )

    async def _wait_before_retry(self, error: GatewayError) -> None:
        self._rest = rest = asyncio.get_running_loop().create_future()
        trusted = self._endpoint.trusted
        if await self._credentials.fall_back(error, trusted=trusted):
            delay: float | None = self._backoff.delay(0.0)
            self._change(Cause.FALLEN_BACK, delay=delay)
        else:
            delay = self._note(error)
        self._change(await self._rested(rest, delay))

    def _note(self, error: GatewayError) -> float | None:
        """Change the state for an error; return the seconds until the next attempt."""
        pause, least = pause_of(error), least_delay(error)
        delay = None if least is None else self._backoff.delay(least)
        if self.state is ConnectionState.CONNECTED:
            self._change(Cause.LOST, error, delay=delay)
        elif pause is None:
            self._change(Cause.FAILED, error, delay=delay)
        else:
            self._change(Cause.REFUSED, error, pause, delay)
        if delay is None:
            self._runs.fail_all(error)
        else:
            self._runs.suspend_all(error)
        return delay

    async def _rested(self, rest: asyncio.Future[Cause], delay: float | None) -> Cause:
        """Wait for the end of the delay, or for a reason not to wait any longer."""
        loop = asyncio.get_running_loop()
        due = inf if delay is None else loop.time() + delay
        while (left := due - loop.time()) > 0:
            await asyncio.wait([rest], timeout=min(left, self._timing.check))
            if rest.done():
                if delay is not None:
                    self._backoff.revoke()
                return rest.result()
            if self._suspension.over():
                self._backoff.reset()
                return Cause.WOKEN
        return Cause.DUE

    def _wants(self, name: str) -> bool:
        return name in (AGENT, SHUTDOWN) or name in self._events.heard

    def _dispatch(self, event: Event, at: float) -> None:
        if event.name == AGENT:
            self._runs.dispatch(event, at)
        if event.name in self._events.heard:
            self._events.dispatch(event.name, event)

    def _change(
        self,
        cause: Cause,
        error: GatewayError | None = None,
        pause: Pause | None = None,
        delay: float | None = None,
    ) -> None:
        transition = self._history.change(cause, error, pause, delay)
        self._observers.dispatch(STATE_TOPIC, transition)


def _stopped() -> NotConnectedError:
    return NotConnectedError("the client was stopped", code="STOPPED")
