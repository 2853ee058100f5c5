"""One WebSocket to a Gateway, from the upgrade to the close."""

import asyncio
from contextlib import suppress
import time
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from .exceptions import (
    CLOSE_RESTART,
    CannotConnectError,
    ConnectionLostError,
    GatewayError,
    InvalidFrameError,
    NotAGatewayError,
    RequestFailedError,
    RequestTooLargeError,
)
from .frames import (
    Event,
    Request,
    Response,
    decode_frame,
    encode_request,
    peek_event,
    seconds,
)
from .handshake import build_connect
from .models import Challenge, Hello
from .pending import PendingRequest, PendingRequests
from .upgrade import RECEIVE_LIMIT, Peer, peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from websockets.asyncio.client import ClientConnection

    from .credentials import Credentials
    from .frames import Json, Payload
    from .models import Timing
    from .statistics import Statistics
    from .suspension import SuspensionWatch
    from .tasks import TaskRegistry

SHUTDOWN: Final = "shutdown"
CLOSE_SILENT: Final = 4000
CLOSE_ABNORMAL: Final = 1006
CLOSES_WHILE_STARTING: Final = (CLOSE_RESTART, 1013)

# The Gateways take no larger frame before their hello.
HANDSHAKE_LIMIT: Final = 64 * 2**10
# More than any policy seen: 26,214,400 bytes on OpenClaw 2026.9.
MOST_RECEIVED: Final = 64 * 2**20

# How the events of runs start: there are many, and they are always wanted.
AGENT_START: Final = b'{"type":"event","event":"agent",'

type Duty = tuple[str, Coroutine[Any, Any, None]]


class Connection:
    """An agreed connection; it lives once and is never used again."""

    hello: Hello

    def __init__(
        self,
        socket: ClientConnection,
        timing: Timing,
        statistics: Statistics,
        on_event: Callable[[Event, float], None],
        wants: Callable[[str], bool],
    ) -> None:
        """Wrap an open socket; `handshake()` comes next.

        `on_event` gets an event and when it came, of the monotonic clock. Events
        whose name nobody `wants` are counted, but not decoded.
        """
        self._socket = socket
        self.timing = timing
        self._statistics = statistics
        self._on_event = on_event
        self._wants = wants
        self._last_seq: int | None = None
        self._restart_delay: float | None = None
        self._send_limit = HANDSHAKE_LIMIT
        self._opened_at = self._last_frame_at = time.monotonic()
        self.pending = PendingRequests(statistics)

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""
        return peer_of(self._socket)

    @property
    def age(self) -> float:
        """Return the seconds since the socket opened."""
        return time.monotonic() - self._opened_at

    @property
    def silence(self) -> float:
        """Return the seconds since the last frame."""
        return time.monotonic() - self._last_frame_at

    @property
    def receive_limit(self) -> int | None:
        """Return the bytes of the largest message that is taken in."""
        return self._socket.protocol.max_message_size

    async def handshake(self, credentials: Credentials, deadline: float) -> None:
        """Answer the challenge and read the hello, until a time of the loop's clock.

        Raises:
            GatewayError: why there is no agreement.

        """
        try:
            async with asyncio.timeout_at(deadline):
                challenge = await self.read_challenge()
                skew = time.time() - challenge.ts / 1000
                hello = await self.ask("connect", build_connect(challenge, credentials))
        except TimeoutError:
            raise CannotConnectError("no handshake in time", code="TIMEOUT") from None
        except (ConnectionLostError, RequestFailedError) as err:
            raise _not_ready(err) from None
        self.hello = Hello.from_payload(hello, skew)
        self._set_limits(self.hello.policy.max_payload)
        await credentials.accept(self.hello.device_token)

    async def read_challenge(self) -> Challenge:
        """Return the peer's first word.

        Raises:
            CannotConnectError: it hung up, and may not do so later.
            NotAGatewayError: it said something else.

        """
        try:
            data = await self._socket.recv(decode=False)
            frame = decode_frame(data)
        except ConnectionClosed as err:
            raise _hung_up(err) from None
        except InvalidFrameError:
            raise NotAGatewayError("the peer sent no challenge") from None
        if not isinstance(frame, Event) or frame.name != "connect.challenge":
            raise NotAGatewayError("the peer sent no challenge")
        now = time.monotonic()
        self._statistics.received("event", frame.name, len(data), now)
        return Challenge.from_payload(frame.payload)

    async def request(
        self, method: str, params: Payload, deadline: float | None = None
    ) -> Json:
        """Send a request and return the payload of its response.

        Raises:
            RequestTimeoutError: no response in `deadline` seconds.
            ConnectionLostError: the connection ended first.
            GatewayError: what the Gateway answered.

        """
        timeout = self.timing.request if deadline is None else deadline
        request = self.pending.open(method, timeout)
        await self.send(request, params)
        return await request.future

    async def ask(self, method: str, params: Payload) -> Json:
        """Send a request while nobody else reads; return its response's payload.

        The caller sets the deadline.

        Raises:
            ConnectionLostError: the connection ended first.
            GatewayError: what the Gateway answered.

        """
        request = self.pending.open(method, self.timing.request)
        await self.send(request, params)
        try:
            while not request.future.done():
                self._take(await self._socket.recv(decode=False))
        except ConnectionClosed as err:
            raise self._lost(err) from None
        return await request.future

    async def send(self, request: PendingRequest, params: Payload) -> None:
        """Send a registered request; if that fails or lasts, its future says so."""
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
            await asyncio.sleep(0)  # or who asks again at once keeps the reader asleep
        except BaseException:
            request.future.cancel()
            raise
        else:
            self._statistics.sent(request.method, len(data))

    async def serve(
        self, tasks: TaskRegistry, suspension: SuspensionWatch, duties: Iterable[Duty]
    ) -> GatewayError:
        """Read until the connection ends, beside other duties; return why it did."""
        async with asyncio.TaskGroup() as group:
            running = [
                self._start(group, tasks, duty)
                for duty in (("watchdog", self._watch_silence(suspension)), *duties)
            ]
            try:
                return await self._read()
            finally:
                for task in running:
                    task.cancel()

    async def interrupt(self, close_code: int | None) -> None:
        """End the connection with a close code; without one, cut it."""
        if close_code is None:
            self._socket.transport.abort()
        else:
            await self._hang_up(close_code)

    async def close(self, error: GatewayError) -> None:
        """Fail what is pending with `error` and close the socket."""
        self.pending.fail_all(error)
        await self._hang_up(CloseCode.NORMAL_CLOSURE)

    def _start(
        self, group: asyncio.TaskGroup, tasks: TaskRegistry, duty: Duty
    ) -> asyncio.Task[None]:
        name, coroutine = duty
        task = group.create_task(coroutine, name=f"clawd {name}")
        tasks.add(task, name)
        return task

    async def _read(self) -> GatewayError:
        receive, take = self._socket.recv, self._take
        try:
            while True:
                take(await receive(decode=False))
        except ConnectionClosed as err:
            return self._lost(err)

    def _take(self, data: bytes) -> None:
        self._last_frame_at = now = time.monotonic()
        size = len(data)
        name = None if data.startswith(AGENT_START) else peek_event(data)
        if name is not None and not self._wants(name):
            self._statistics.received("event", name, size, now)
            self._last_seq = None
            return
        try:
            frame = decode_frame(data)
        except InvalidFrameError:
            self._statistics.invalid_frames += 1
            return
        if isinstance(frame, Response):
            name = self.pending.name_of(frame)
            self._statistics.received("res", name, size, now)
            self.pending.resolve(frame)
            return
        self._statistics.received("event", frame.name, size, now)
        if (seq := frame.seq) is not None:
            if self._last_seq is not None and seq > self._last_seq + 1:
                self._statistics.sequence_gaps += 1
            self._last_seq = seq
        if frame.name == SHUTDOWN:
            self._restart_delay = seconds(frame.payload.get("restartExpectedMs"))
        self._on_event(frame, now)

    async def _watch_silence(self, suspension: SuspensionWatch) -> None:
        """Close when nothing came for two tick intervals, or since a suspension."""
        limit = 2 * self.hello.policy.tick_interval
        while (silence := self.silence) < limit:
            await asyncio.sleep(min(limit - silence, self.timing.check))
            if suspension.over() and not await self._lives():
                break
        await self._hang_up(CLOSE_SILENT)

    async def _lives(self) -> bool:
        """Return whether the peer answers a ping."""
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(self.timing.prove):
                await (await self._socket.ping())
                return True
        return False

    def _set_limits(self, max_payload: int) -> None:
        self._send_limit = max_payload
        limit = max(RECEIVE_LIMIT, min(max_payload, MOST_RECEIVED))
        self._socket.protocol.max_message_size = limit

    def _reject(self, request: PendingRequest, size: int) -> None:
        error = RequestTooLargeError(request.method, size, self._send_limit)
        self.pending.fail(request, error)

    async def _hang_up(self, code: int) -> None:
        """Close the socket; cut it if the peer takes no part in that."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.timing.close):
                    await self._socket.close(code)
        finally:
            self._socket.transport.abort()

    def _lost(self, err: ConnectionClosed) -> ConnectionLostError:
        close = err.rcvd or err.sent
        return ConnectionLostError(
            "the connection to the Gateway was lost",
            close_code=close.code if close else CLOSE_ABNORMAL,
            retry_after=self._restart_delay,
        )


def _hung_up(err: ConnectionClosed) -> GatewayError:
    if err.rcvd is None or err.rcvd.code in CLOSES_WHILE_STARTING:
        return CannotConnectError("the peer hung up", code="HUNG_UP")
    return NotAGatewayError("the peer sent no challenge")


def _not_ready(err: ConnectionLostError | RequestFailedError) -> GatewayError:
    """Tell a Gateway that is still starting from one that refuses."""
    starting = (
        err.close_code in CLOSES_WHILE_STARTING
        if isinstance(err, ConnectionLostError)
        else err.retryable
    )
    if not starting:
        return err
    return CannotConnectError(
        "the Gateway is starting", code=err.code, retry_after=err.retry_after
    )
