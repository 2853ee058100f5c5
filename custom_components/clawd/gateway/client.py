"""Client of a Gateway: stays connected, sends requests, starts runs."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
import logging
from math import inf
from typing import TYPE_CHECKING, Final, cast

from .backoff import Backoff, minimum_delay, pause_reason
from .commands import AgentCommands, ModelCommands, SessionCommands, SystemCommands
from .connect_profile import OPERATOR_PROFILE
from .events import EventListeners
from .exceptions import CannotConnectError, GatewayError, NotConnectedError
from .introspection import Introspection
from .models import Timing
from .probe import fetch_gateway_id, fetch_gateway_info
from .protocol.connection import SHUTDOWN, Connection
from .protocol.transport import open_socket
from .runs.aborts import STOP_TIMEOUT, Aborts
from .runs.recovery import recover
from .runs.runs import AgentRuns
from .sleep_detector import SleepDetector
from .state import Cause, ConnectionState, StateHistory
from .statistics import TRACE_LENGTH, Statistics
from .tasks import TaskRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from .backoff import PauseReason
    from .credentials import Credentials
    from .endpoint import Endpoint
    from .events import Listener
    from .models import Hello, Json, Payload
    from .probe import GatewayInfo
    from .protocol.connection import ConnectionTask
    from .protocol.frames import Event
    from .protocol.handshake import ConnectProfile
    from .protocol.transport import Peer
    from .runs.request import RunRequest
    from .runs.run import AgentRun
    from .state import Transition

AGENT: Final = "agent"
STATE_TOPIC: Final = "client.state"

_LOGGER = logging.getLogger(__name__)


class GatewayClient:
    """Client of one Gateway that reconnects by itself.

    `run()` is its only long-lived coroutine: while it runs, the client connects and
    reconnects; once it is cancelled, nothing is left behind.

    Every request, also of the commands, raises the same.

    Raises:
        NotConnectedError: there is no connection.
        RequestTimeoutError: no response in time.
        ConnectionLostError: the connection ended first.
        GatewayError: the Gateway answered with an error.

    Attributes:
        agents, models, sessions, system: the commands of the API.
        introspection: internals for self-test and diagnostics.
        statistics: counters and trace.

    """

    def __init__(  # noqa: PLR0913 - each has a default
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        profile: ConnectProfile = OPERATOR_PROFILE,
        timing: Timing | None = None,
        sleep_detector: SleepDetector | None = None,
        trace_length: int = TRACE_LENGTH,
    ) -> None:
        """Initialize the client; `run()` or `fetch_info()` connects it."""
        self._endpoint = endpoint
        self._credentials = credentials
        self._profile = profile
        self._timing = timing or Timing()
        self._sleep_detector = sleep_detector or SleepDetector()
        self._connection: Connection | None = None
        self._history = StateHistory()
        self._wake: asyncio.Future[Cause] | None = None
        self.statistics = Statistics(trace_length=trace_length)
        self._tasks = TaskRegistry()
        self._aborts = Aborts(lambda: self._connection, self._tasks)
        self._runs = AgentRuns(
            self.statistics,
            self._timing,
            self._aborts.abort,
            self._aborts.end_expired,
        )
        self._event_listeners: EventListeners[Event] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._state_listeners: EventListeners[Transition] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._backoff = Backoff(self._timing)
        self.agents = AgentCommands(self.request)
        self.models = ModelCommands(self.request)
        self.sessions = SessionCommands(self.request)
        self.system = SystemCommands(self.request)
        self.introspection = Introspection(
            lambda: self._connection,
            self._history,
            self._tasks,
            self._runs,
            self._event_listeners,
            self._state_listeners,
        )

    @property
    def state(self) -> ConnectionState:
        """Return the state of the connection."""
        return self._history.state

    @property
    def last_error(self) -> GatewayError | None:
        """Return the error of the current state."""
        return self._history.error

    @property
    def endpoint(self) -> Endpoint:
        """Return the endpoint of the Gateway."""
        return self._endpoint

    @property
    def hello(self) -> Hello | None:
        """Return the hello, if connected."""
        return self._connection.hello if self._connection else None

    @property
    def peer(self) -> Peer | None:
        """Return the remote end, if connected."""
        return self._connection.peer if self._connection else None

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.add(task, "run")
        try:
            self._change(Cause.STARTED)
            while True:
                await self._wait_before_retry(await self._connect_once())
        finally:
            self._tasks.discard(task)
            _LOGGER.debug("Client stopped")
            await self._close(_stopped_error())

    async def fetch_info(self) -> GatewayInfo:
        """Connect once, and return identity and agents of the Gateway.

        Raises:
            GatewayError: the connection failed, or a request.

        """
        try:
            self._change(Cause.STARTED)
            async with self._connected() as connection:
                return await fetch_gateway_info(connection)
        finally:
            await self._close(_stopped_error())

    async def fetch_id(self) -> str:
        """Return the Gateway's lasting id."""
        return await fetch_gateway_id(self._require_connection().hello, self.system)

    async def wait_connected(self, *, retry: bool = True) -> Hello:
        """Wait for a connection; without `retry` only for the first attempt.

        Raises:
            GatewayError: the client is paused or closed or, without `retry`, the
                first attempt failed.

        """
        while True:
            match self.state:
                case ConnectionState.CONNECTED if self.hello:
                    return self.hello
                case ConnectionState.PAUSED | ConnectionState.CLOSED if self.last_error:
                    raise self.last_error
                case ConnectionState.RECONNECTING if not retry and self.last_error:
                    raise self.last_error
            await self._history.changed()

    def resume(self) -> None:
        """End a pause or delay now."""
        if self._wake and not self._wake.done():
            self._wake.set_result(Cause.RESUMED)

    async def interrupt(self, close_code: int | None = None) -> None:
        """End the connection as if it were lost; for drills."""
        await self._require_connection().interrupt(close_code)

    async def request(
        self, method: str, params: Payload | None = None, timeout: float | None = None
    ) -> Json:
        """Send a request and return the payload of its response.

        `timeout` is in seconds.
        """
        return await self._require_connection().request(method, params, timeout)

    def subscribe(self, event: str, listener: Listener[Event]) -> Callable[[], None]:
        """Call a listener on each event of a name; return its unsubscribe."""
        return self._event_listeners.subscribe(event, listener)

    def subscribe_state(self, listener: Listener[Transition]) -> Callable[[], None]:
        """Call a listener on each transition; return its unsubscribe."""
        return self._state_listeners.subscribe(STATE_TOPIC, listener)

    async def start_run(self, request: RunRequest) -> AgentRun:
        """Start a run; return once the Gateway has accepted it.

        Raises:
            NotConnectedError: there is no connection.
            RequestFailedError: the Gateway refused the run.

        """
        connection = self._require_connection()
        # Registered before it is sent: the events of a fast reply come at once.
        run = self._runs.open(request)
        try:
            await self._send_run(connection, run)
            return await run.wait_accepted()
        except BaseException:
            if not run.ended:
                run.fail(_stopped_error())
                self._aborts.abort_in_background(run)
            raise

    async def _send_run(self, connection: Connection, run: AgentRun) -> None:
        def accept() -> float:
            run.accept()
            # The final response also tells whether an expired run was stopped.
            return run.timeout + STOP_TIMEOUT

        timeout = self._timing.request_timeout
        request = connection.pending.open("agent", timeout, accept)
        run.attach_response(request.future)
        await connection.send(request, run.request.params)

    async def _close(self, error: GatewayError) -> None:
        self._runs.fail_all(error)
        self._change(Cause.STOPPED, error)
        await self._tasks.cancel_all("listener", "abort")

    def _reconnect_tasks(self, connection: Connection) -> list[ConnectionTask]:
        """Return the tasks a reconnect starts: recoveries and pending aborts."""
        recoveries: list[ConnectionTask] = [
            (
                "recovery",
                recover(run, connection, partial(self._send_run, connection, run)),
            )
            for run in self._runs.active()
        ]
        return recoveries + self._aborts.reconnect_tasks()

    async def _connect_once(self) -> GatewayError:
        """Serve one connection; return the error that ended or prevented it."""
        try:
            async with self._connected() as connection:
                self._connection = connection
                self.statistics.connects += 1
                tasks = self._reconnect_tasks(connection)
                self._change(Cause.HELLO)
                error = await connection.serve(self._tasks, self._sleep_detector, tasks)
                self._end_connection(connection, error)
        except GatewayError as err:
            return err
        return error

    def _end_connection(self, connection: Connection, error: GatewayError) -> None:
        self.statistics.drops += 1
        _LOGGER.debug("Connection lost after %.1f s: %s", connection.age, error.code)
        # Only a stable connection restarts the backoff: a Gateway that accepts and
        # drops at once would be stormed.
        if connection.age > connection.hello.policy.tick_interval:
            self._backoff.reset()
        connection.pending.fail_all(error)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        timeout = self._timing.connect_timeout
        deadline = asyncio.get_running_loop().time() + timeout
        connection = await self._open_connection(deadline)
        try:
            self._change(Cause.OPENED)
            await connection.handshake(self._credentials, self._profile, deadline)
            yield connection
        finally:
            self._connection = None
            await connection.close(_stopped_error())

    async def _open_connection(self, deadline: float) -> Connection:
        _LOGGER.debug("Connecting as %s", self._profile.role)
        try:
            async with asyncio.timeout_at(deadline):
                socket = await open_socket(self._endpoint, self._timing)
        except TimeoutError:
            raise CannotConnectError("no answer in time", code="TIMEOUT") from None
        return Connection(
            socket, self._timing, self.statistics, self._dispatch, self._is_wanted
        )

    async def _wait_before_retry(self, error: GatewayError) -> None:
        self._wake = wake = asyncio.get_running_loop().create_future()
        trusted = self._endpoint.trusted
        if await self._credentials.fall_back(error, trusted=trusted):
            delay: float | None = self._backoff.delay(0.0)
            _LOGGER.debug("Token refused: falling back to the device token")
            self._change(Cause.FALLEN_BACK, delay=delay)
        else:
            delay = self._handle_error(error)
        self._change(await self._wait(wake, delay))

    def _handle_error(self, error: GatewayError) -> float | None:
        """Change the state; return the delay in seconds."""
        pause, minimum = pause_reason(error), minimum_delay(error)
        delay = None if minimum is None else self._backoff.delay(minimum)
        if self.state is ConnectionState.CONNECTED:
            self._change(Cause.LOST, error, delay=delay)
        elif pause is None:
            self._change(Cause.FAILED, error, delay=delay)
        else:
            self._change(Cause.REFUSED, error, pause, delay)
        _LOGGER.debug(
            "Not connected: %s, pause: %s, seconds to the next attempt: %s",
            error.code,
            pause,
            delay,
        )
        if delay is None:
            self._runs.fail_all(error)
        else:
            self._runs.mark_disconnected(error)
        return delay

    async def _wait(self, wake: asyncio.Future[Cause], delay: float | None) -> Cause:
        """Wait for the delay, `resume()` or a wake-up."""
        loop = asyncio.get_running_loop()
        due = inf if delay is None else loop.time() + delay
        interval = self._timing.sleep_check_interval
        while (left := due - loop.time()) > 0:
            await asyncio.wait([wake], timeout=min(left, interval))
            if wake.done():
                if delay is not None:
                    self._backoff.undo()
                return wake.result()
            if self._sleep_detector.poll():
                _LOGGER.debug("System woke up: connecting at once")
                self._backoff.reset()
                return Cause.WOKEN
        return Cause.RETRY

    def _is_wanted(self, name: str) -> bool:
        return name in (AGENT, SHUTDOWN) or name in self._event_listeners.names

    def _dispatch(self, event: Event, at: float) -> None:
        if event.name == AGENT:
            self._runs.dispatch(event, at)
        if event.name in self._event_listeners.names:
            self._event_listeners.dispatch(event.name, event)

    def _change(
        self,
        cause: Cause,
        error: GatewayError | None = None,
        pause: PauseReason | None = None,
        delay: float | None = None,
    ) -> None:
        transition = self._history.change(cause, error, pause, delay)
        self._state_listeners.dispatch(STATE_TOPIC, transition)

    def _require_connection(self) -> Connection:
        if self._connection is None:
            raise NotConnectedError("not connected to the Gateway")
        return self._connection


def _stopped_error() -> NotConnectedError:
    return NotConnectedError("the client was stopped", code="STOPPED")
