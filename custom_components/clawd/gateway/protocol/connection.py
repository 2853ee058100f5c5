"""Connection to a Gateway."""

import asyncio
from contextlib import suppress
from dataclasses import replace
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from ..exceptions import (
    CLOSE_RESTART,
    CannotConnectError,
    Close,
    ConnectionLostError,
    GatewayError,
    InvalidFrameError,
    NotAGatewayError,
    RequestFailedError,
    RequestTooLargeError,
)
from ..models import Challenge, Hello
from .frames import (
    NOT_JSON,
    Event,
    Request,
    Response,
    decode_frame,
    encode_request,
    peek_event,
    peek_response,
    repair_json,
    seconds,
)
from .handshake import build_connect
from .pending import PendingRequest, PendingRequests
from .transport import MIN_RECEIVE_LIMIT, Peer, close_of, peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from ..credentials import Credentials
    from ..models import Json, Payload, Timing
    from ..sleep_detector import SleepDetector
    from ..statistics import Statistics
    from ..tasks import TaskRegistry
    from .handshake import ConnectProfile
    from .transport import Socket

SHUTDOWN: Final = "shutdown"
CLOSE_IDLE: Final = 4000
CLOSES_WHILE_STARTING: Final = (CLOSE_RESTART, 1013)

# Bytes; both Gateways refuse larger frames before their hello.
MAX_HANDSHAKE_SIZE: Final = 64 * 2**10
# Bytes between two checks; pings of a proxy have at most 127 bytes each.
MIN_PROGRESS: Final = 4096
# Characters of a secret that suffice to redact a close reason.
SECRET_PREFIX: Final = 12
# Bytes; above any policy seen: 26,214,400 on OpenClaw 2026.9.
MAX_RECEIVE_LIMIT: Final = 64 * 2**20

# Most frames are events of runs: skip the regular expression for them.
AGENT_EVENT_PREFIX: Final = b'{"type":"event","event":"agent",'

type ConnectionTask = tuple[str, Coroutine[Any, Any, None]]

_LOGGER = logging.getLogger(__name__)


class Connection:
    """Single-use connection to a Gateway."""

    hello: Hello

    def __init__(  # noqa: PLR0913 - two have a default
        self,
        socket: Socket,
        timing: Timing,
        statistics: Statistics,
        on_event: Callable[[Event, float], None],
        is_wanted: Callable[[str], bool],
        *,
        on_gap: Callable[[], object] = lambda: None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Wrap an open socket; `handshake()` comes next.

        `on_event` gets each event and its time of the monotonic clock, `on_gap` is
        called when events are missing; `secrets` are those of the endpoint. Events
        whose name is not wanted are counted, but not decoded.
        """
        self._socket = socket
        self.timing = timing
        self._statistics = statistics
        self._on_event = on_event
        self._is_wanted = is_wanted
        self._on_gap = on_gap
        self._secrets = secrets
        self._aborted = False
        self._last_seq: int | None = None
        self._restart_delay: float | None = None
        self._send_limit = MAX_HANDSHAKE_SIZE
        self._opened_at = self._last_frame_at = time.monotonic()
        self.pending = PendingRequests(statistics)

    @property
    def peer(self) -> Peer:
        """Return the remote end."""
        return peer_of(self._socket)

    @property
    def age(self) -> float:
        """Return the seconds since the socket opened."""
        return time.monotonic() - self._opened_at

    @property
    def seconds_since_last_frame(self) -> float:
        """Return the seconds since the last frame."""
        return time.monotonic() - self._last_frame_at

    @property
    def receive_limit(self) -> int | None:
        """Return the receive limit in bytes."""
        return self._socket.protocol.max_message_size

    async def handshake(
        self, credentials: Credentials, profile: ConnectProfile, deadline: float
    ) -> None:
        """Answer the challenge and read the hello.

        `deadline` is a time of the event loop's clock.

        Raises:
            GatewayError: the Gateway refused, or did not answer.

        """
        self._secrets += credentials.secrets
        try:
            async with asyncio.timeout_at(deadline):
                challenge = await self.read_challenge()
                skew = time.time() - challenge.ts / 1000
                params = build_connect(challenge, credentials, profile)
                hello = await self.request_before_serving("connect", params)
        except TimeoutError:
            raise CannotConnectError("no handshake in time", code="TIMEOUT") from None
        except (ConnectionLostError, RequestFailedError) as err:
            raise _not_ready(err) from None
        self.hello = Hello.from_payload(hello, skew, self.timing)
        self._set_limits(self.hello.policy.max_payload)
        _LOGGER.debug(
            "Handshake done: protocol %s, %s methods, %s scopes, tick every %s s",
            self.hello.protocol,
            len(self.hello.methods),
            len(self.hello.scopes),
            self.hello.policy.tick_interval,
        )
        # Before anything else: a device token that is not stored is lost.
        await credentials.accept(self.hello.device_token)

    async def read_challenge(self) -> Challenge:
        """Read the challenge.

        Raises:
            CannotConnectError: the peer hung up, as a Gateway does while it starts.
            NotAGatewayError: another service answered.

        """
        try:
            data = await self._socket.recv(decode=False)
        except ConnectionClosed as err:
            raise _closed_early(self._close(err)) from None
        try:
            frame = self._decode(data)
        except InvalidFrameError:
            raise NotAGatewayError("the peer sent no challenge") from None
        if not isinstance(frame, Event) or frame.name != "connect.challenge":
            raise NotAGatewayError("the peer sent no challenge")
        now = time.monotonic()
        self._statistics.received("event", frame.name, len(data), now)
        return Challenge.from_payload(frame.payload)

    async def request(
        self, method: str, params: Payload | None = None, timeout: float | None = None
    ) -> Json:
        """Send a request and return its payload.

        Raises:
            RequestTimeoutError: no response in `timeout` seconds.
            ConnectionLostError: the connection ended first.
            GatewayError: the Gateway answered with an error.

        """
        request = await self._open_request(method, params, timeout)
        return await request.future

    async def request_before_serving(
        self, method: str, params: Payload | None = None, timeout: float | None = None
    ) -> Json:
        """Send a request before `serve()` runs.

        Raises:
            ConnectionLostError: the connection ended first.
            GatewayError: the Gateway answered with an error.

        """
        request = await self._open_request(method, params, timeout)
        try:
            while not request.future.done():
                self._receive(await self._socket.recv(decode=False))
        except ConnectionClosed as err:
            raise self._lost(err) from None
        return await request.future

    async def _open_request(
        self, method: str, params: Payload | None, timeout: float | None
    ) -> PendingRequest:
        seconds_left = self.timing.request_timeout if timeout is None else timeout
        request = self.pending.open(method, seconds_left)
        await self.send(request, params or {})
        return request

    async def send(self, request: PendingRequest, params: Payload) -> None:
        """Send a registered request.

        A failure is set on its future.
        """
        try:
            data = encode_request(Request(request.id, request.method, params))
            if len(data) > self._send_limit:
                self._reject(request, len(data))
                return
            with suppress(TimeoutError):
                async with asyncio.timeout_at(request.deadline):
                    await self._socket.send(data, text=True)
        except ConnectionClosed as err:
            self.pending.fail_all(self._lost(err))
            # Yield, or a caller that retries in a loop starves the reader.
            await asyncio.sleep(0)
        except BaseException:
            request.future.cancel()
            raise
        else:
            self._statistics.sent(request.method, len(data))

    async def serve(
        self,
        registry: TaskRegistry,
        sleep_detector: SleepDetector,
        tasks: Iterable[ConnectionTask],
    ) -> GatewayError:
        """Read frames until the connection ends.

        Return the error of the end.
        """
        watchdog = ("watchdog", self._watch_idle(sleep_detector))
        async with asyncio.TaskGroup() as group:
            running = [
                self._start(group, registry, task) for task in (watchdog, *tasks)
            ]
            try:
                return await self._read()
            finally:
                for task in running:
                    task.cancel()

    async def interrupt(self, close_code: int | None) -> None:
        """Close with a code, or abort."""
        if close_code is None:
            self._aborted = True
            self._socket.transport.abort()
        else:
            await self._close_socket(close_code, "interrupted by a drill")

    async def reopen(self, reason: str) -> None:
        """Close in order to reconnect."""
        await self._close_socket(CloseCode.NORMAL_CLOSURE, reason)

    async def close(self, error: GatewayError) -> None:
        """Fail open requests and close the socket."""
        self.pending.fail_all(error)
        await self._close_socket(CloseCode.NORMAL_CLOSURE)

    def _start(
        self, group: asyncio.TaskGroup, registry: TaskRegistry, task: ConnectionTask
    ) -> asyncio.Task[None]:
        name, coroutine = task
        started = group.create_task(coroutine, name=f"clawd {name}")
        registry.add(started, name)
        return started

    async def _read(self) -> GatewayError:
        receive, handle = self._socket.recv, self._receive
        try:
            while True:
                handle(await receive(decode=False))
        except ConnectionClosed as err:
            return self._lost(err)

    def _receive(self, data: bytes) -> None:
        self._last_frame_at = now = time.monotonic()
        size = len(data)
        name = None if data.startswith(AGENT_EVENT_PREFIX) else peek_event(data)
        if name is not None and not self._is_wanted(name):
            self._statistics.received("event", name, size, now)
            # Its `seq` was not decoded, so the next one cannot be compared.
            self._last_seq = None
            return
        try:
            frame = self._decode(data)
        except InvalidFrameError as err:
            self._drop_frame(data, err)
            return
        if isinstance(frame, Response):
            method = self.pending.method_of(frame)
            self._statistics.received("res", method, size, now)
            self.pending.resolve(frame)
            return
        self._statistics.received("event", frame.name, size, now)
        if (seq := frame.seq) is not None:
            if self._last_seq is not None and seq > self._last_seq + 1:
                self._statistics.sequence_gaps += 1
                self._on_gap()
            self._last_seq = seq
        if frame.name == SHUTDOWN:
            # {"reason": "gateway restarting", "restartExpectedMs": 1500}, then 1012.
            self._restart_delay = seconds(frame.payload.get("restartExpectedMs"))
        self._on_event(frame, now)

    def _decode(self, data: bytes) -> Response | Event:
        """Decode a frame, strictly or tolerantly."""
        try:
            return decode_frame(data)
        except InvalidFrameError as err:
            if err.code != NOT_JSON:
                raise
            frame = decode_frame(repair_json(data))
        self._statistics.repaired_frames += 1
        return frame

    def _drop_frame(self, data: bytes, error: InvalidFrameError) -> None:
        """Drop an invalid frame and fail its request."""
        _LOGGER.debug("Frame of %s bytes not decoded: %s", len(data), error.code)
        self._statistics.invalid_frames += 1
        # Its `seq` is unknown, so the next one cannot be compared.
        self._last_seq = None
        if request_id := peek_response(data):
            self.pending.fail_response(request_id, error)
        else:
            self._on_gap()

    async def _watch_idle(self, sleep_detector: SleepDetector) -> None:
        """Close after idle time or system sleep.

        Idle are two tick intervals without a frame.
        """
        limit = 2 * self.hello.policy.tick_interval
        reason = f"no frame in {limit:.0f} s"
        frame_at, received = 0.0, 0
        while (idle := self.seconds_since_last_frame) < limit or self._is_receiving(
            received
        ):
            if frame_at != self._last_frame_at:
                frame_at, received = self._last_frame_at, self._socket.bytes_received
            await asyncio.sleep(
                min(max(limit - idle, 0), self.timing.sleep_check_interval)
            )
            if sleep_detector.poll() and not await self._answers_ping():
                reason = "no answer after a system sleep"
                break
        _LOGGER.debug("Closing the connection: %s", reason)
        await self._close_socket(CLOSE_IDLE, reason)

    def _is_receiving(self, received: int) -> bool:
        """Return whether a large message is arriving.

        It counts as a frame.
        """
        receiving = self._socket.bytes_received - received >= MIN_PROGRESS
        if receiving:
            self._last_frame_at = time.monotonic()
        return receiving

    async def _answers_ping(self) -> bool:
        """Return whether the peer answers a ping.

        Any other data counts, too.
        """
        asked_at = time.monotonic()
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(self.timing.ping_timeout):
                await (await self._socket.ping())
                return True
        # A proxy may swallow pings while data flows.
        return self._last_frame_at > asked_at

    def _set_limits(self, max_payload: int) -> None:
        self._send_limit = max_payload
        limit = max(MIN_RECEIVE_LIMIT, min(max_payload, MAX_RECEIVE_LIMIT))
        self._socket.protocol.max_message_size = limit

    def _reject(self, request: PendingRequest, size: int) -> None:
        error = RequestTooLargeError(request.method, size, self._send_limit)
        self.pending.fail(request, error)

    async def _close_socket(self, code: int, reason: str = "") -> None:
        """Close the socket, or abort on timeout."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.timing.close_timeout):
                    await self._socket.close(code, reason)
        finally:
            self._socket.transport.abort()

    def _close(self, err: ConnectionClosed) -> Close:
        """Return the close without secrets."""
        close = close_of(err, aborted=self._aborted)
        if any(secret[:SECRET_PREFIX] in close.reason for secret in self._secrets):
            return replace(close, reason="")
        return close

    def _lost(self, err: ConnectionClosed) -> ConnectionLostError:
        close = self._close(err)
        error = ConnectionLostError(
            "the connection to the Gateway was lost",
            close_code=close.code,
            retry_after=self._restart_delay,
        )
        error.close = close
        return error


def _closed_early(close: Close) -> GatewayError:
    error: GatewayError = NotAGatewayError("the peer sent no challenge")
    if close.by != "peer" or close.code in CLOSES_WHILE_STARTING:
        error = CannotConnectError("the peer hung up", code="HUNG_UP")
    error.close = close
    return error


def _not_ready(err: ConnectionLostError | RequestFailedError) -> GatewayError:
    """Return the error of a refused handshake.

    Tells a starting Gateway from a refusing one.
    """
    # v4 while starting: HTTP 503, close 1013 "gateway starting", or
    # {"code": "UNAVAILABLE", "details": {"reason": "startup-sidecars"}}.
    starting = (
        err.close_code in CLOSES_WHILE_STARTING
        if isinstance(err, ConnectionLostError)
        else err.retryable
    )
    if not starting:
        return err
    error = CannotConnectError(
        "the Gateway is starting", code=err.code, retry_after=err.retry_after
    )
    error.close = err.close
    return error
