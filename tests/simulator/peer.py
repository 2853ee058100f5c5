"""One client's connection, as the Gateway sees it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
import uuid

import orjson
from websockets.asyncio.server import ServerConnection, broadcast

from .handshake import admit, refused
from .methods import RequestError, handle
from .recordings import V3, Frame
from .refusals import ConnectError, Refusal
from .snapshots import hello

if TYPE_CHECKING:
    from .server import GatewaySimulator

MAX_BEFORE_HELLO = 65_536

type Item = Frame | str | bytes | tuple[str, Frame]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received."""

    connection: int
    id: str
    method: str
    params: Frame


@dataclass(eq=False)
class Peer:
    """A connection: first the handshake, then requests."""

    gateway: GatewaySimulator
    connection: ServerConnection
    number: int
    refusal: Refusal | None
    conn_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    nonce: str = field(default_factory=lambda: str(uuid.uuid4()))
    connected: bool = False
    params: Frame = field(default_factory=dict)
    seq: int = 0

    @property
    def scopes(self) -> list[str]:
        """Return the scopes that were granted."""
        return list(self.params.get("scopes", []))

    async def serve(self) -> None:
        """Speak with the client until it leaves."""
        if self.refusal is Refusal.DROP_BEFORE_CHALLENGE:
            self.drop()
        elif not self.gateway.muted:
            self._challenge()
        if self.refusal is Refusal.DROP_AFTER_CHALLENGE:
            self.drop()
        if self.refusal is Refusal.STARTING_CLOSE:
            await self.connection.close(1013, "gateway starting")
        async for message in self.connection:
            await self._receive(message)

    def send(self, item: Item) -> None:
        """Send a frame, raw text or bytes, or an event with its payload."""
        if isinstance(item, tuple):
            self.send_event(*item)
        elif isinstance(item, dict):
            broadcast([self.connection], orjson.dumps(item), text=True)
        else:
            broadcast([self.connection], item)

    def send_event(self, event: str, payload: Frame, **extra: Any) -> None:
        """Send an event with the number that is due."""
        frame = {"type": "event", "event": event, "payload": payload}
        if self.gateway.protocol == V3:
            self.send({**frame, "seq": self.gateway.seq, **extra})
            return
        self.seq += 1
        owner = {"recipientProfileId": "gateway-owner"}
        self.send({**frame, "seq": self.seq, **extra, **owner})

    def respond(
        self, request: Request, payload: Any = None, error: Frame | None = None
    ) -> None:
        """Answer a request, twice if the script says so."""
        frame = {"type": "res", "id": request.id, "ok": error is None}
        if payload is not None:
            frame["payload"] = payload
        if error is not None:
            frame["error"] = error
        for _ in range(1 + (request.method in self.gateway.duplicated)):
            self.send(frame)

    def drop(self) -> None:
        """Cut the connection without a close frame."""
        self.connection.transport.abort()

    def _challenge(self) -> None:
        payload: Frame = {"nonce": self.nonce, "ts": self.gateway.now_ms()}
        if self.gateway.protocol != V3:
            payload["capabilities"] = ["model-catalog-snapshot"]
        payload = self.gateway.edited("connect.challenge", payload)
        self.send({"type": "event", "event": "connect.challenge", "payload": payload})

    async def _receive(self, message: str | bytes) -> None:
        """Take a message; text that is not a request is ignored or refused."""
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            return
        request = self._request(frame)
        if request:
            self.gateway.note(request)
        if self.gateway.muted:
            return
        if request is None:
            await self._reject(frame)
        elif self.connected:
            self.gateway.spawn(self._answer(request))
        else:
            await self._shake_hands(request, len(message))

    def _request(self, frame: Any) -> Request | None:
        """Return the request that a frame is, if it is one."""
        match frame:
            case {"type": "req", "id": str(id_), "method": str(method), **rest}:
                params = rest.get("params", {})
                if set(rest) <= {"params"} and isinstance(params, dict):
                    return Request(self.number, id_, method, params)
        return None

    async def _reject(self, frame: Any) -> None:
        """Answer a frame that is no request."""
        if not self.connected:
            await self.connection.close(1008, "invalid request frame")
            return
        id_ = frame.get("id", "invalid") if isinstance(frame, dict) else "invalid"
        request = Request(self.number, id_, "", {})
        message = "invalid request frame: must match a schema in anyOf"
        self.respond(request, error={"code": "INVALID_REQUEST", "message": message})

    async def _shake_hands(self, request: Request, size: int) -> None:
        """Let the client in, or refuse it and close."""
        if size > MAX_BEFORE_HELLO:
            await self.connection.close(1009, "preauth payload too large")
            return
        await self.gateway.passage("connect")
        if self.refusal is Refusal.DROP_BEFORE_HELLO:
            self.drop()
            return
        self._send_all(self.gateway.befores.get("connect", ()))
        try:
            token = self._admit(request)
        except ConnectError as err:
            self.respond(request, error=err.error)
            await self.connection.close(err.close_code, err.close_reason)
            return
        self.connected = True
        payload = self.gateway.edited("hello-ok", hello(self.gateway, self, token))
        self.respond(request, payload)
        self._send_all(self.gateway.afters.get("connect", ()))
        self.gateway.greet(self)

    def _admit(self, request: Request) -> str | None:
        """Check a connect request and return the device's token.

        Raises:
            ConnectError: it is refused.

        """
        gateway = self.gateway
        self.params = request.params
        if request.method != "connect":
            message = "invalid handshake: first request must be connect"
            error = {"code": "INVALID_REQUEST", "message": message}
            raise ConnectError(error, 1008, message)
        if self.refusal and self.refusal is not Refusal.PAIRING:
            raise refused(gateway.protocol, self.refusal, self.params)
        headers = self.connection.request.headers if self.connection.request else {}
        remote = gateway.pairing or "X-Forwarded-For" in headers
        return admit(
            gateway.protocol,
            self.params,
            token=gateway.token,
            devices=gateway.devices,
            nonce=self.nonce,
            now_ms=gateway.now_ms(),
            local=not remote and self.refusal is not Refusal.PAIRING,
        )

    async def _answer(self, request: Request) -> None:
        """Answer a request between what the script puts around it."""
        await self.gateway.passage(request.method)
        self._send_all(self.gateway.befores.get(request.method, ()))
        try:
            payload = await handle(self.gateway, self, request)
        except RequestError as err:
            self.respond(request, error=err.error)
        else:
            if payload is not None:
                self.respond(request, self.gateway.edited(request.method, payload))
        self._send_all(self.gateway.afters.get(request.method, ()))

    def _send_all(self, items: tuple[Item, ...]) -> None:
        for item in items:
            self.send(item)
