"""Client of a Gateway."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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
from .exceptions import GatewayError, NotConnectedError
from .history import ClientHistory
from .introspection import Introspection
from .media import MediaDownloads
from .models import Timing
from .probe import fetch_gateway_id, fetch_gateway_info
from .protocol.connection import SHUTDOWN, Connection
from .reconnect import OWNED_TASK, ConnectionHandlers, ReconnectLogic
from .runs.manager import RunManager
from .runs.transcript import read_replies, read_usage
from .scope_upgrade import ScopeUpgrade
from .sleep_detector import SleepDetector
from .state import ConnectionState
from .statistics import TRACE_LENGTH
from .tasks import TaskRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from .credentials import Credentials
    from .endpoint import Endpoint
    from .events import Listener
    from .models import Hello, Json, Payload
    from .probe import GatewayInfo
    from .protocol.connection import ConnectionTask
    from .protocol.frames import Event
    from .protocol.handshake import ConnectProfile
    from .protocol.transport import Peer
    from .run_result import ModelUsage
    from .runs.foreign import Follower
    from .runs.request import RunRequest
    from .runs.run import AgentRun
    from .scope_upgrade import ScopeRequest
    from .state import Transition

AGENT: Final = "agent"
CHAT: Final = "chat"
# Messages of a history to search for foreign runs.
REPLY_MESSAGES: Final = 50
# Messages of a run whose usage is summed up; both Gateways return no more.
USAGE_MESSAGES: Final = 1000
SCOPES_TOPIC: Final = "client.scopes"
STATE_TOPIC: Final = "client.state"


class GatewayClient:
    """Client of one Gateway, with automatic reconnects.

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
        """Initialize the client without connecting.

        `history` continues that of the previous client.
        """
        self._endpoint = endpoint
        self._credentials = credentials
        self._timing = timing or Timing()
        self._history = history = history or ClientHistory()
        self.statistics = history.statistics
        self.statistics.resize_trace(trace_length)
        credentials.on_save_error = history.store_failed
        self._tasks = TaskRegistry(self.statistics.task_failures)
        self._event_listeners: EventListeners[Event] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._state_listeners: EventListeners[Transition] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._scope_listeners: EventListeners[ScopeRequest] = EventListeners(
            self.statistics, self._tasks.spawn
        )
        self._run_manager = RunManager(
            lambda: self._connection,
            self._tasks,
            self.statistics,
            self._timing,
            on_failure=history.log_failure,
            is_stopping=lambda: self._reconnect.stopping,
        )
        self._runs = self._run_manager.runs
        self._reconnect = ReconnectLogic(
            endpoint,
            credentials,
            profile,
            self._timing,
            sleep_detector or SleepDetector(),
            history,
            self._tasks,
            ConnectionHandlers(
                is_wanted=self._is_wanted,
                on_event=self._dispatch,
                on_gap=self._runs.mark_incomplete,
                on_connected=self._reconnect_tasks,
                on_disconnected=self._runs.mark_disconnected,
                on_given_up=self._runs.fail_all,
                on_transition=partial(self._state_listeners.dispatch, STATE_TOPIC),
            ),
        )
        self._scopes = ScopeUpgrade(
            profile,
            credentials,
            history,
            on_lacking=self._reconnect.mark_limited,
            on_change=partial(self._scope_listeners.dispatch, SCOPES_TOPIC),
        )
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
            history,
            self._tasks,
            self._runs,
            self._event_listeners,
            self._state_listeners,
            self._scope_listeners,
        )

    @property
    def state(self) -> ConnectionState:
        """Return the state of the connection."""
        return self._reconnect.state

    @property
    def last_error(self) -> GatewayError | None:
        """Return the error of the current state."""
        return self._reconnect.last_error

    @property
    def optional_scopes(self) -> ScopeRequest:
        """Return the status of the optional scopes."""
        return self._scopes.optional

    @property
    def device_id(self) -> str:
        """Return the id of this device."""
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
        return connection.hello if (connection := self._connection) else None

    @property
    def peer(self) -> Peer | None:
        """Return the remote end, if connected."""
        return connection.peer if (connection := self._connection) else None

    @property
    def _connection(self) -> Connection | None:
        return self._reconnect.connection

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        await self._reconnect.run()

    async def fetch_info(self) -> GatewayInfo:
        """Connect once and fetch the Gateway's info.

        Raises:
            GatewayError: the connection failed, or a request.

        """
        async with self.connected_once() as connection:
            return await fetch_gateway_info(connection)

    def connected_once(self) -> AbstractAsyncContextManager[Connection]:
        """Connect for the duration of the block.

        The block sends with `request_before_serving`.

        Raises:
            GatewayError: the connection failed.

        """
        return self._reconnect.connected_once()

    async def fetch_id(self) -> str:
        """Return the Gateway's lasting id."""
        return await fetch_gateway_id(self._require_connection().hello, self.system)

    async def wait_connected(self, *, retry: bool = True) -> Hello:
        """Wait for a connection.

        Without `retry` only for the first attempt.

        Raises:
            GatewayError: the client is paused or closed or, without `retry`, the
                first attempt failed.

        """
        return await self._reconnect.wait_connected(retry=retry)

    def resume(self) -> None:
        """End a pause or delay now."""
        self._reconnect.resume()

    async def interrupt(self, close_code: int | None = None) -> None:
        """Simulate a lost connection, for drills."""
        connection = self._require_connection()
        self.mark_drill()
        await connection.interrupt(close_code)

    async def reopen(self, reason: str) -> None:
        """Reconnect with a new connection."""
        await self._require_connection().reopen(reason)

    def mark_drill(self) -> None:
        """Mark the next transitions as a drill."""
        self._history.transitions.drill = True
        self.statistics.mark("out", "drill", "")

    async def request(
        self, method: str, params: Payload | None = None, timeout: float | None = None
    ) -> Json:
        """Send a request and return its payload.

        `timeout` is in seconds.
        """
        return await self._require_connection().request(method, params, timeout)

    def subscribe(self, event: str, listener: Listener[Event]) -> Callable[[], None]:
        """Subscribe to an event; return the unsubscribe."""
        return self._event_listeners.subscribe(event, listener)

    def subscribe_state(self, listener: Listener[Transition]) -> Callable[[], None]:
        """Subscribe to transitions; return the unsubscribe."""
        return self._state_listeners.subscribe(STATE_TOPIC, listener)

    def subscribe_scopes(self, listener: Listener[ScopeRequest]) -> Callable[[], None]:
        """Subscribe to scope changes; return the unsubscribe."""
        return self._scope_listeners.subscribe(SCOPES_TOPIC, listener)

    def follow_runs(self, follower: Follower) -> Callable[[], None]:
        """Follow foreign runs; return the unsubscribe."""
        return self._runs.foreign.follow(follower)

    async def fetch_replies(self, session_key: str) -> dict[str, str]:
        """Return the last replies, by run id."""
        chat = ChatCommands(self.request)
        return read_replies(await chat.history(session_key, REPLY_MESSAGES))

    async def fetch_usage(self, session_key: str, *run_ids: str) -> ModelUsage:
        """Return the usage of an ended run, as its session's history tells it (v4).

        `run_ids` are its own and the Gateway's.

        Raises:
            GatewayError: the Gateway did not answer.

        """
        chat = ChatCommands(self.request)
        history = await chat.history(session_key, USAGE_MESSAGES)
        return read_usage(history, run_ids)

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Start a task bound to the client."""
        return self._tasks.spawn(coroutine, f"{OWNED_TASK} {name}")

    async def start_run(self, request: RunRequest) -> AgentRun:
        """Start a run and wait for its acceptance.

        Raises:
            NotConnectedError: there is no connection.
            RequestFailedError: the Gateway refused the run.

        """
        return await self._run_manager.start(request)

    def resume_run(
        self, request: RunRequest, asked_at: float, *, accepted: bool
    ) -> AgentRun:
        """Resume a run of an earlier client.

        Its session's history has the reply; of the message, the first words suffice.
        `asked_at` is in seconds since 1970. A run that was not `accepted` fails if
        the Gateway does not know it; nothing is sent again.
        """
        return self._run_manager.resume(request, asked_at, accepted=accepted)

    def _reconnect_tasks(self, connection: Connection) -> list[ConnectionTask]:
        """Return the tasks a reconnect starts."""
        recoveries = self._run_manager.reconnect_tasks(connection)
        return recoveries + self._scopes.tasks(connection)

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

    def _require_connection(self) -> Connection:
        if (connection := self._connection) is None:
            raise NotConnectedError("not connected to the Gateway")
        return connection
