"""One client's connection, as the Gateway sees it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

import orjson
from websockets.asyncio.server import ServerConnection, broadcast

from .handshake import Handshake
from .methods import RESPONDED, RequestError, handle
from .recordings import V3, Frame
from .refusals import ConnectError, Refusal, invalid_connect
from .request_log import Request
from .snapshots import hello

if TYPE_CHECKING:
    from .server import GatewaySimulator

MAX_BEFORE_HELLO = 65_536

type Item = Frame | str | bytes | tuple[str, Frame]


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
    dropped: bool = False
    params: Frame = field(default_factory=dict)
    seq: int = 0

    @property
    def scopes(self) -> list[str]:
        """Return the scopes that were granted."""
        return list(self.params.get("scopes", []))

    async def serve(self) -> None:
        """Speak with the client until it leaves."""
        if self.refusal is Refusal.STARTING_CLOSE:
            await self.connection.close(1013, "gateway starting")
        if self.refusal is Refusal.DROP_BEFORE_CHALLENGE:
            self.drop()
        self._challenge()
        if self.refusal is Refusal.DROP_AFTER_CHALLENGE:
            self.drop()
        async for message in self.connection:
            await self._receive(message)

    def send(self, item: Item) -> None:
        """Send a frame, raw text or bytes, or an event with its payload."""
        if self.gateway.muted:
            return
        if isinstance(item, tuple):
            self.gateway.seq += 1
            self.send_event(*item)
        elif isinstance(item, dict):
            self.gateway.line.carry(item, self.send_text)
        else:
            broadcast([self.connection], item)

    def send_text(self, data: bytes) -> None:
        """Send a text message, whatever is in it."""
        broadcast([self.connection], data, text=True)

    def send_event(
        self, event: str, payload: Frame, *, versioned: bool = False
    ) -> None:
        """Send an event under the number that is due.

        ``versioned`` events tell the state versions, too.
        """
        frame: Frame = {"type": "event", "event": event, "payload": payload}
        if self.gateway.protocol == V3:
            frame["seq"] = self.gateway.seq
        else:
            self.seq += 1
            frame |= {"seq": self.seq, "recipientProfileId": "gateway-owner"}
        if versioned:
            frame["stateVersion"] = self.gateway.state_version
        self.send(frame)

    def respond(
        self, request: Request, payload: object = None, error: Frame | None = None
    ) -> None:
        """CheckOutcome a request, twice if the script says so."""
        frame = {"type": "res", "id": request.id, "ok": error is None}
        if error is None or payload is not None:
            frame["payload"] = payload
        if error is not None:
            frame["error"] = error
        for _ in range(1 + (request.method in self.gateway.duplicated)):
            self.send(frame)

    def drop(self) -> None:
        """Cut the connection without a close frame."""
        self.dropped = True
        self.connection.transport.abort()

    def _challenge(self) -> None:
        """Send the nonce to sign."""
        payload: Frame = {"nonce": self.nonce, "ts": self.gateway.now_ms()}
        if self.gateway.protocol != V3:
            payload["capabilities"] = ["model-catalog-snapshot"]
        payload = self.gateway.edited("connect.challenge", payload)
        self.send({"type": "event", "event": "connect.challenge", "payload": payload})

    async def _receive(self, message: str | bytes) -> None:
        """Take a message; what is not JSON is ignored."""
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

    def _request(self, frame: object) -> Request | None:
        """Return the request that a frame is, if it is one."""
        match frame:
            case {"type": "req", "id": str(id_), "method": str(method), **rest}:
                params = rest.pop("params", {})
                if not rest and isinstance(params, dict):
                    return Request(self.number, id_, method, params)
        return None

    async def _reject(self, frame: object) -> None:
        """CheckOutcome a frame that is no request."""
        if not self.connected:
            await self.connection.close(1008, "invalid request frame")
            return
        id_ = frame.get("id", "invalid") if isinstance(frame, dict) else "invalid"
        message = "invalid request frame: must match a schema in anyOf"
        error = {"code": "INVALID_REQUEST", "message": message}
        self.respond(Request(self.number, id_, "", {}), error=error)

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
            error = self.gateway.edited("refusal", err.error)
            self.respond(request, error=error)
            await self.connection.close(err.close_code, err.close_reason)
            return
        self.connected = True
        payload = self.gateway.edited("hello-ok", hello(self.gateway, self, token))
        self.respond(request, payload)
        self._send_all(self.gateway.afters.get("connect", ()))
        self.gateway.greet()

    def _admit(self, request: Request) -> str | None:
        """Check a connect request and return the device's token.

        Raises:
            ConnectError: the client is refused.

        """
        if request.method != "connect":
            raise invalid_connect("invalid handshake: first request must be connect")
        gateway, self.params = self.gateway, request.params
        headers = self.connection.request.headers if self.connection.request else {}
        pairing = self.refusal is Refusal.PAIRING
        handshake = Handshake(
            protocol=gateway.protocol,
            mode=gateway.mode,
            token=gateway.token,
            devices=gateway.devices,
            nonce=self.nonce,
            now_ms=gateway.now_ms(),
            local=not (pairing or gateway.pairing or "X-Forwarded-For" in headers),
        )
        if self.refusal and not pairing:
            handshake.refuse(self.refusal, self.params)
        return handshake.admit(self.params)

    async def _answer(self, request: Request) -> None:
        """CheckOutcome a request between what the script puts around it."""
        await self.gateway.passage(request.method)
        self._send_all(self.gateway.befores.get(request.method, ()))
        try:
            payload = await handle(self.gateway, self, request)
        except RequestError as err:
            self.respond(request, error=err.error)
        else:
            if payload is not RESPONDED:
                self.respond(request, self.gateway.edited(request.method, payload))
        self._send_all(self.gateway.afters.get(request.method, ()))

    def _send_all(self, items: tuple[Item, ...]) -> None:
        """Send what the script puts around a response."""
        for item in items:
            self.send(item)
