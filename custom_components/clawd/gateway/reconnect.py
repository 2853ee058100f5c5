"""Reconnecting: one connection after the other, and the waits between them."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
import logging
from math import inf
import time
from typing import TYPE_CHECKING, Final, cast

from .backoff import Backoff, minimum_delay, pause_reason
from .exceptions import (
    CannotConnectError,
    Close,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayError,
    UnexpectedError,
    stopped_error,
)
from .history import CredentialRefusal
from .protocol.connection import Connection
from .protocol.transport import CLOSE_ABNORMAL, open_socket
from .state import Cause, ConnectionState, StateHistory

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from .backoff import PauseReason
    from .credentials import Credentials
    from .endpoint import Endpoint
    from .exceptions import PairingRequiredError
    from .history import ClientHistory
    from .models import Hello, Timing
    from .protocol.connection import ConnectionTask
    from .protocol.frames import Event
    from .protocol.handshake import ConnectProfile
    from .protocol.transport import AddressInfo, Peer
    from .sleep_detector import SleepDetector
    from .state import Transition
    from .tasks import TaskRegistry

# Prefix of the tasks that others run with the client.
OWNED_TASK: Final = "node"
# Seconds to wait if choosing a delay fails.
FALLBACK_DELAY: Final = 30.0

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionHandlers:
    """Handlers of a client for its connections.

    Attributes:
        is_wanted: whether an event is to be decoded, by name.
        on_event: gets the event, and its time of the monotonic clock.
        on_gap: events were lost.
        on_connected: returns the tasks of a new connection.
        on_disconnected: another attempt follows.
        on_given_up: none follows, unless the user does something.

    """

    is_wanted: Callable[[str], bool]
    on_event: Callable[[Event, float], None]
    on_gap: Callable[[], None]
    on_connected: Callable[[Connection], list[ConnectionTask]]
    on_disconnected: Callable[[GatewayError], None]
    on_given_up: Callable[[GatewayError], None]
    on_transition: Callable[[Transition], None]


class ReconnectLogic:
    """Connect to a Gateway, and again after each loss.

    Attributes:
        connection: the current one, after its handshake.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a client has
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        profile: ConnectProfile,
        timing: Timing,
        sleep_detector: SleepDetector,
        history: ClientHistory,
        tasks: TaskRegistry,
        handlers: ConnectionHandlers,
    ) -> None:
        """Initialize without a connection; `run()` connects."""
        self._endpoint = endpoint
        self._credentials = credentials
        self._profile = profile
        self._timing = timing
        self._sleep_detector = sleep_detector
        self._history = history
        self._statistics = history.statistics
        self._tasks = tasks
        self._handlers = handlers
        self._states = StateHistory(history.transitions)
        self._backoff = Backoff(timing)
        self._wake: asyncio.Future[Cause] | None = None
        self._main: asyncio.Task[object] | None = None
        self._peer: Peer | None = None
        self._was_connected = False
        self.connection: Connection | None = None

    @property
    def state(self) -> ConnectionState:
        """Return the state of the connection."""
        return self._states.state

    @property
    def last_error(self) -> GatewayError | None:
        """Return the error of the current state."""
        return self._states.error

    @property
    def stopping(self) -> bool:
        """Return whether `run()` is being cancelled."""
        return bool(self._main and self._main.cancelling())

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._tasks.open()
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

    @asynccontextmanager
    async def connected_once(self) -> AsyncGenerator[Connection]:
        """Connect for the duration of the block.

        The block sends with `request_before_serving`.

        Raises:
            GatewayError: the connection failed.

        """
        try:
            self._tasks.open()
            self._change(Cause.STARTED)
            async with self._connected() as connection:
                yield connection
        finally:
            await self._close(stopped_error())

    async def wait_connected(self, *, retry: bool) -> Hello:
        """Wait for a connection; without `retry` only for the first attempt.

        Raises:
            GatewayError: the attempts have ended, or the first one failed.

        """
        while True:
            match self.state:
                case ConnectionState.CONNECTED if self.connection:
                    return self.connection.hello
                case ConnectionState.PAUSED | ConnectionState.CLOSED if self.last_error:
                    raise self.last_error
                case ConnectionState.RECONNECTING if not retry and self.last_error:
                    raise self.last_error
            await self._states.changed()

    def resume(self) -> None:
        """End a pause or delay now."""
        if self._wake and not self._wake.done():
            self._wake.set_result(Cause.RESUMED)

    def mark_limited(self, error: PairingRequiredError) -> None:
        """Note that the connection has fewer scopes than needed."""
        self._change(Cause.LIMITED, error)

    async def _close(self, error: GatewayError) -> None:
        self._handlers.on_given_up(error)
        self._change(Cause.STOPPED, error)
        await self._tasks.close("listener", "abort", "recovery", OWNED_TASK)

    async def _connect_once(self) -> GatewayError:
        """Serve one connection; return its final error."""
        try:
            async with self._connected() as connection:
                self.connection = connection
                self._count_connection(connection)
                tasks = self._handlers.on_connected(connection)
                self._change(Cause.HELLO)
                error = await connection.serve(self._tasks, self._sleep_detector, tasks)
                self._end_connection(connection, error)
        except GatewayError as err:
            return err
        return error

    def _count_connection(self, connection: Connection) -> None:
        self._statistics.connects += 1
        self._statistics.reconnects += self._was_connected
        self._was_connected = True
        self._history.connected(connection.hello, connection.peer)

    def _end_connection(self, connection: Connection, error: GatewayError) -> None:
        self._statistics.drops += 1
        self._statistics.drill_drops += self._history.transitions.drill
        close = error.close or Close(CLOSE_ABNORMAL)
        self._statistics.closed(close.by, close.code)
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
            self.connection = None
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
            self._statistics,
            self._handlers.on_event,
            self._handlers.is_wanted,
            on_gap=self._handlers.on_gap,
            secrets=self._endpoint.secrets,
        )

    def _keep_addresses(self, addresses: list[AddressInfo]) -> None:
        self._history.addresses = tuple(addresses)

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
        """Fall back to the device token.

        Return whether the next attempt shows it.
        """
        credentials, shown = self._credentials, self._credentials.shown
        trusted = self._endpoint.trusted
        fallen_back = await credentials.fall_back(
            error, trusted=trusted, optional=self._profile.optional_scopes
        )
        if isinstance(error, GatewayAuthenticationError):
            same = self._history.is_known(self._peer) if self._peer else None
            self._history.refusal = CredentialRefusal(
                time.time(), error.code, shown, credentials.device_token_use, same
            )
        return fallen_back

    async def _survive(self, err: Exception) -> None:
        """Treat an unexpected exception as a disconnect."""
        self._statistics.main_loop_errors += 1
        self._statistics.drops += self.state is ConnectionState.CONNECTED
        self._history.log_failure(err)
        error = UnexpectedError()
        try:
            delay = self._backoff.delay(0.0)
            self._wake = wake = asyncio.get_running_loop().create_future()
            self._change(Cause.UNEXPECTED, error, delay=delay)
            self._handlers.on_disconnected(error)
            self._change(await self._wait(wake, delay))
        except Exception as again:  # noqa: BLE001 - the last resort
            self._history.log_failure(again)
            self._change(Cause.UNEXPECTED, error, delay=FALLBACK_DELAY)
            await asyncio.sleep(FALLBACK_DELAY)
            self._change(Cause.RETRY)

    def _handle_error(self, error: GatewayError) -> float | None:
        """Change the state; return the retry delay."""
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
            self._handlers.on_given_up(error)
        else:
            self._handlers.on_disconnected(error)
        return delay

    async def _wait(self, wake: asyncio.Future[Cause], delay: float | None) -> Cause:
        """Wait for the delay or a wake-up."""
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

    def _change(
        self,
        cause: Cause,
        error: GatewayError | None = None,
        pause: PauseReason | None = None,
        delay: float | None = None,
    ) -> None:
        transition = self._states.change(cause, error, pause, delay)
        self._handlers.on_transition(transition)
