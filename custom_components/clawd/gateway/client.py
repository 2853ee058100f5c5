"""Client of a Gateway: stays connected, sends requests, starts runs."""

import asyncio
from contextlib import asynccontextmanager
from functools import partial
import logging
from math import inf
import time
from typing import TYPE_CHECKING, Any, Final, cast

from .backoff import Backoff, minimum_delay, pause_reason
from .commands import (
    AgentCommands,
    ArtifactCommands,
    ChatCommands,
    MessageCommands,
    ModelCommands,
    NodeCommands,
    QuestionCommands,
    SessionCommands,
    SystemCommands,
    TaskCommands,
    ToolCommands,
    TtsCommands,
)
from .connect_profile import OPERATOR_PROFILE
from .events import EventListeners
from .exceptions import (
    CannotConnectError,
    Close,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayError,
    NotConnectedError,
    UnexpectedError,
    stopped_error,
)
from .history import ClientHistory, CredentialRefusal
from .introspection import Introspection
from .media import MediaDownloads
from .models import Timing
from .probe import fetch_gateway_id, fetch_gateway_info
from .protocol.connection import SHUTDOWN, Connection
from .protocol.transport import CLOSE_ABNORMAL, open_socket
from .runs.manager import RunManager
from .runs.transcript import read_replies, read_usage
from .scope_upgrade import ScopeUpgrade
from .sleep_detector import SleepDetector
from .state import Cause, ConnectionState, StateHistory
from .statistics import TRACE_LENGTH
from .tasks import TaskRegistry
from .tracebacks import Failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from .backoff import PauseReason
    from .credentials import Credentials
    from .endpoint import Endpoint
    from .events import Listener
    from .models import Hello, Json, Payload, RunResult
    from .probe import GatewayInfo
    from .protocol.frames import Event
    from .protocol.handshake import ConnectProfile
    from .protocol.transport import AddressInfo, Peer
    from .runs.foreign import Follower
    from .runs.request import RunRequest
    from .runs.run import AgentRun
    from .scope_upgrade import ScopeRequest
    from .state import Transition

AGENT: Final = "agent"
CHAT: Final = "chat"
# Prefix of the tasks that others run with the client.
OWNED_TASK: Final = "node"
# Seconds to wait when even the waiting fails.
FALLBACK_DELAY: Final = 30.0
# Messages of a history in which runs of others are looked for.
REPLY_MESSAGES: Final = 50
# Messages of a run whose usage is summed up; both Gateways return no more.
USAGE_MESSAGES: Final = 1000
SCOPES_TOPIC: Final = "client.scopes"
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
        agents, artifacts, messages, models, nodes, questions, sessions, system, tasks,
            tools, tts: the commands of the API.
        media: downloads of pictures and files.
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
        history: ClientHistory | None = None,
    ) -> None:
        """Initialize the client; `run()` or `fetch_info()` connects it.

        `history` is that of the client before, which this one continues.
        """
        self._endpoint = endpoint
        self._credentials = credentials
        self._profile = profile
        self._timing = timing or Timing()
        self._sleep_detector = sleep_detector or SleepDetector()
        self._connection: Connection | None = None
        self._evidence = evidence = history or ClientHistory()
        self._history = StateHistory(evidence.transitions)
        self._wake: asyncio.Future[Cause] | None = None
        self._main: asyncio.Task[object] | None = None
        self.statistics = evidence.statistics
        self.statistics.resize_trace(trace_length)
        credentials.on_save_error = evidence.store_failed
        self._peer: Peer | None = None
        self._was_connected = False
        self._tasks = TaskRegistry(self.statistics.task_failures)
        self._run_manager = RunManager(
            lambda: self._connection,
            self._tasks,
            self.statistics,
            self._timing,
            on_failure=self._log_failure,
            is_stopping=lambda: bool(self._main and self._main.cancelling()),
        )
        self._runs = self._run_manager.runs
        self._event_listeners: EventListeners[Event] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._state_listeners: EventListeners[Transition] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._scope_listeners: EventListeners[ScopeRequest] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._scopes = ScopeUpgrade(
            profile,
            credentials,
            evidence,
            on_lacking=partial(self._change, Cause.LIMITED),
            on_change=partial(self._scope_listeners.dispatch, SCOPES_TOPIC),
        )
        self._backoff = Backoff(self._timing)
        self.agents = AgentCommands(self.request)
        self.artifacts = ArtifactCommands(self.request)
        self.media = MediaDownloads(
            endpoint, credentials, self.artifacts, lambda: self.peer
        )
        self.messages = MessageCommands(self.request)
        self.models = ModelCommands(self.request)
        self.nodes = NodeCommands(self.request)
        self.questions = QuestionCommands(self.request, lambda: self.hello)
        self.sessions = SessionCommands(self.request)
        self.system = SystemCommands(self.request)
        self.tasks = TaskCommands(self.request)
        self.tools = ToolCommands(self.request)
        self.tts = TtsCommands(self.request)
        self.introspection = Introspection(
            lambda: self._connection,
            evidence,
            self._tasks,
            self._runs,
            self._event_listeners,
            self._state_listeners,
            self._scope_listeners,
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
    def optional_scopes(self) -> ScopeRequest:
        """Return the status of the optional scopes."""
        return self._scopes.optional

    @property
    def device_id(self) -> str:
        """Return the id of this device; a node's id, too."""
        return self._credentials.identity.device_id

    @property
    def timing(self) -> Timing:
        """Return the timeouts and delays."""
        return self._timing

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
        self._main = task
        try:
            self._change(Cause.STARTED)
            while True:
                try:
                    await self._wait_before_retry(await self._connect_once())
                except Exception as err:  # noqa: BLE001 - nobody would start it again
                    await self._survive(err)
        finally:
            self._main = None
            self._tasks.discard(task)
            _LOGGER.debug("Client stopped")
            await self._close(stopped_error())

    async def fetch_info(self) -> GatewayInfo:
        """Connect once, and return identity and agents of the Gateway.

        Raises:
            GatewayError: the connection failed, or a request.

        """
        async with self.connected_once() as connection:
            return await fetch_gateway_info(connection)

    @asynccontextmanager
    async def connected_once(self) -> AsyncGenerator[Connection]:
        """Connect for the block, which sends with `request_before_serving`.

        Raises:
            GatewayError: the connection failed.

        """
        try:
            self._change(Cause.STARTED)
            async with self._connected() as connection:
                yield connection
        finally:
            await self._close(stopped_error())

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
        connection = self._require_connection()
        self.mark_drill()
        await connection.interrupt(close_code)

    async def reopen(self, reason: str) -> None:
        """Close the connection, so that another one takes its place."""
        await self._require_connection().reopen(reason)

    def mark_drill(self) -> None:
        """Attribute transitions until the next hello to a drill."""
        self._evidence.transitions.drill = True
        self.statistics.mark("out", "drill", "")

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

    def subscribe_scopes(self, listener: Listener[ScopeRequest]) -> Callable[[], None]:
        """Call a listener on each change of the optional scopes."""
        return self._scope_listeners.subscribe(SCOPES_TOPIC, listener)

    def follow_runs(self, follower: Follower) -> Callable[[], None]:
        """Tell one follower of the runs of others; return its unsubscribe."""
        return self._runs.foreign.follow(follower)

    async def fetch_replies(self, session_key: str) -> dict[str, str]:
        """Return the last words of a session's finished runs, by run id."""
        chat = ChatCommands(self.request)
        return read_replies(await chat.history(session_key, REPLY_MESSAGES))

    async def fetch_usage(self, run: AgentRun) -> RunResult:
        """Return an ended run's result with its usage.

        The usage is that in the session's history (v4).

        Raises:
            GatewayError: the Gateway did not answer, or the run failed.

        """
        result = await run.result()
        chat = ChatCommands(self.request)
        history = await chat.history(run.session_key, USAGE_MESSAGES)
        return read_usage(history, result, run.gateway_id)

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Run a coroutine as a task that ends with the client."""
        return self._tasks.spawn(coroutine, f"{OWNED_TASK} {name}")

    async def start_run(self, request: RunRequest) -> AgentRun:
        """Start a run; return once the Gateway has accepted it.

        Raises:
            NotConnectedError: there is no connection.
            RequestFailedError: the Gateway refused the run.

        """
        return await self._run_manager.start(request)

    def resume_run(
        self, request: RunRequest, asked_at: float, *, accepted: bool
    ) -> AgentRun:
        """Return a run that an earlier client has started.

        Its session's history has the reply; of the message, the first words suffice.
        `asked_at` is in seconds since 1970. A run that was not `accepted` fails if
        the Gateway does not know it; nothing is sent again.
        """
        return self._run_manager.resume(request, asked_at, accepted=accepted)

    async def _close(self, error: GatewayError) -> None:
        self._runs.fail_all(error)
        self._change(Cause.STOPPED, error)
        await self._tasks.cancel_all("listener", "abort", "recovery", OWNED_TASK)

    async def _connect_once(self) -> GatewayError:
        """Serve one connection; return the error that ended or prevented it."""
        try:
            async with self._connected() as connection:
                self._connection = connection
                self._count_connection(connection)
                tasks = self._run_manager.reconnect_tasks(connection)
                tasks += self._scopes.tasks(connection)
                self._change(Cause.HELLO)
                error = await connection.serve(self._tasks, self._sleep_detector, tasks)
                self._end_connection(connection, error)
        except GatewayError as err:
            return err
        return error

    def _count_connection(self, connection: Connection) -> None:
        self.statistics.connects += 1
        self.statistics.reconnects += self._was_connected
        self._was_connected = True
        self._evidence.connected(connection.hello, connection.peer)

    def _end_connection(self, connection: Connection, error: GatewayError) -> None:
        self.statistics.drops += 1
        self.statistics.drill_drops += self._evidence.transitions.drill
        close = error.close or Close(CLOSE_ABNORMAL)
        self.statistics.closed(close.by, close.code)
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
        error: GatewayError = stopped_error()
        try:
            self._peer = connection.peer
            self._change(Cause.OPENED)
            await connection.handshake(self._credentials, self._profile, deadline)
            yield connection
        except Exception:
            error = ConnectionLostError("the connection was given up")
            raise
        finally:
            self._connection = None
            await connection.close(error)

    async def _open_connection(self, deadline: float) -> Connection:
        _LOGGER.debug("Connecting as %s", self._profile.role)
        try:
            async with asyncio.timeout_at(deadline):
                socket = await open_socket(
                    self._endpoint, self._timing, self._keep_addresses
                )
        except TimeoutError:
            raise CannotConnectError("no answer in time", code="TIMEOUT") from None
        return Connection(
            socket,
            self._timing,
            self.statistics,
            self._dispatch,
            self._is_wanted,
            on_gap=self._runs.mark_incomplete,
            secrets=self._endpoint.secrets,
        )

    def _keep_addresses(self, addresses: list[AddressInfo]) -> None:
        self._evidence.addresses = tuple(addresses)

    async def _wait_before_retry(self, error: GatewayError) -> None:
        self._wake = wake = asyncio.get_running_loop().create_future()
        if await self._fall_back(error):
            delay: float | None = self._backoff.delay(0.0)
            _LOGGER.debug("Token refused: falling back to the device token")
            self._change(Cause.FALLEN_BACK, delay=delay)
        else:
            delay = self._handle_error(error)
        self._change(await self._wait(wake, delay))

    async def _fall_back(self, error: GatewayError) -> bool:
        """Switch to the device token; return whether it is shown next."""
        credentials, shown = self._credentials, self._credentials.shown
        trusted = self._endpoint.trusted
        fallen_back = await credentials.fall_back(
            error, trusted=trusted, optional=self._profile.optional_scopes
        )
        if isinstance(error, GatewayAuthenticationError):
            same = self._evidence.is_known(self._peer) if self._peer else None
            self._evidence.refusal = CredentialRefusal(
                time.time(), error.code, shown, credentials.device_token_use, same
            )
        return fallen_back

    async def _survive(self, err: Exception) -> None:
        """Treat an unexpected exception as a lost connection."""
        self.statistics.main_loop_errors += 1
        self.statistics.drops += self.state is ConnectionState.CONNECTED
        self._log_failure(err)
        error = UnexpectedError()
        try:
            delay = self._backoff.delay(0.0)
            self._wake = wake = asyncio.get_running_loop().create_future()
            self._change(Cause.UNEXPECTED, error, delay=delay)
            self._runs.mark_disconnected(error)
            self._change(await self._wait(wake, delay))
        except Exception as again:  # noqa: BLE001 - the last resort
            self._log_failure(again)
            self._change(Cause.UNEXPECTED, error, delay=FALLBACK_DELAY)
            await asyncio.sleep(FALLBACK_DELAY)
            self._change(Cause.RETRY)

    def _log_failure(self, err: Exception) -> None:
        """Log an unexpected exception, once in a row."""
        failure, known = Failure.from_exception(err), self._evidence.failure
        self._evidence.failure = failure
        if known is None or known.origin != failure.origin:
            text = failure.text
            _LOGGER.error("Unexpected exception, without its message:\n%s", text)

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
        return (
            name in (AGENT, SHUTDOWN)
            or name in self._event_listeners.names
            or (name == CHAT and self._runs.awaits_chat)
        )

    def _dispatch(self, event: Event, at: float) -> None:
        if event.name == AGENT:
            self._runs.dispatch(event, at)
        elif event.name == CHAT:
            self._runs.dispatch_chat(event)
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
