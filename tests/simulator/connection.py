"""Server side of a client's connection."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

import orjson
from websockets.asyncio.server import ServerConnection, broadcast

from .handshake import Handshake
from .methods import RESPONDED, handle
from .recordings import V3, Frame
from .refusals import ConnectError, Refusal, invalid_connect
from .request_errors import RequestError
from .request_log import Request
from .snapshots import hello

if TYPE_CHECKING:
    from .server import GatewaySimulator

MAX_CONNECT_SIZE = 65_536
# Characters of a close reason, as the Gateway cuts it.
MAX_REASON = 120

type Item = Frame | str | bytes | tuple[str, Frame]


@dataclass(eq=False)
class ClientConnection:
    """Connection of one client: handshake, then requests."""

    gateway: GatewaySimulator
    websocket: ServerConnection
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
        """Return the granted scopes."""
        return list(self.params.get("scopes", []))

    @property
    def is_node(self) -> bool:
        """Return whether the client is a node."""
        return self.params.get("role") == "node"

    async def serve(self) -> None:
        """Serve the client until the connection closes."""
        if self.refusal is Refusal.STARTING_CLOSE:
            await self.websocket.close(1013, "gateway starting")
        if self.refusal is Refusal.DROP_BEFORE_CHALLENGE:
            self.drop()
        self._send_challenge()
        if self.refusal is Refusal.DROP_AFTER_CHALLENGE:
            self.drop()
        async for message in self.websocket:
            await self._receive(message)

    def send(self, item: Item) -> None:
        """Send a frame, raw data, or an event.

        A tuple is an event and its payload.
        """
        if self.gateway.muted:
            return
        if isinstance(item, tuple):
            self.gateway.seq += 1
            self.send_event(*item)
        elif isinstance(item, dict):
            self.gateway.wire_faults.send(item, self.send_text)
        else:
            broadcast([self.websocket], item)

    def send_text(self, data: bytes) -> None:
        """Send raw bytes as a text message."""
        broadcast([self.websocket], data, text=True)

    def send_event(
        self, event: str, payload: Frame, *, versioned: bool = False
    ) -> None:
        """Send an event with the next sequence number.

        ``versioned`` events include the state versions.
        """
        payload = self.gateway.apply_edit(f"event {event}", dict(payload))
        frame: Frame = {"type": "event", "event": event, "payload": payload}
        if self.gateway.protocol == V3:
            frame["seq"] = self.gateway.seq
        else:
            self.seq += 1
            frame["seq"] = self.seq
            if not self.is_node:
                frame["recipientProfileId"] = "gateway-owner"
        if versioned:
            frame["stateVersion"] = self.gateway.state_version
        self.send(frame)

    def respond(
        self, request: Request, payload: object = None, error: Frame | None = None
    ) -> None:
        """Respond to a request, twice if it is duplicated."""
        frame = {"type": "res", "id": request.id, "ok": error is None}
        if error is None or payload is not None:
            frame["payload"] = payload
        if error is not None:
            frame["error"] = error
        for _ in range(1 + (request.method in self.gateway.duplicated_methods)):
            self.send(frame)

    def drop(self) -> None:
        """Abort the connection without a close frame."""
        self.dropped = True
        self.websocket.transport.abort()

    def _send_challenge(self) -> None:
        """Send the ``connect.challenge`` event."""
        payload: Frame = {"nonce": self.nonce, "ts": self.gateway.now_ms()}
        if self.gateway.protocol != V3:
            payload["capabilities"] = ["model-catalog-snapshot"]
        payload = self.gateway.apply_edit("connect.challenge", payload)
        self.send({"type": "event", "event": "connect.challenge", "payload": payload})

    async def _receive(self, message: str | bytes) -> None:
        """Handle a message; invalid JSON is ignored."""
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            return
        request = self._parse_request(frame)
        if request:
            self.gateway.record(request)
        if self.gateway.muted:
            return
        if request is None:
            await self._reject(frame)
        elif self.connected:
            self.gateway.spawn(self._handle_request(request))
        else:
            await self._handle_connect(request, len(message))

    def _parse_request(self, frame: object) -> Request | None:
        """Parse a request frame; None if it is invalid."""
        match frame:
            case {"type": "req", "id": str(request_id), "method": str(method), **rest}:
                params = rest.pop("params", {})
                if not rest and isinstance(params, dict):
                    return Request(self.number, request_id, method, params)
        return None

    async def _reject(self, frame: object) -> None:
        """Reject an invalid frame."""
        if not self.connected:
            await self.websocket.close(1008, "invalid request frame")
            return
        request_id = (
            frame.get("id", "invalid") if isinstance(frame, dict) else "invalid"
        )
        message = "invalid request frame: must match a schema in anyOf"
        error = {"code": "INVALID_REQUEST", "message": message}
        self.respond(Request(self.number, request_id, "", {}), error=error)

    async def _handle_connect(self, request: Request, size: int) -> None:
        """Accept the ``connect`` request, or refuse it and close."""
        if size > MAX_CONNECT_SIZE:
            await self.websocket.close(1009, "preauth payload too large")
            return
        await self.gateway.wait_released("connect")
        if self.refusal is Refusal.DROP_BEFORE_HELLO:
            self.drop()
            return
        self._send_all(self.gateway.sent_before.get("connect", ()))
        try:
            token = self._authenticate(request)
        except ConnectError as err:
            error = self.gateway.apply_edit("refusal", err.error)
            self.respond(request, error=error)
            await self.websocket.close(err.close_code, err.close_reason[:MAX_REASON])
            return
        self.connected = True
        payload = self.gateway.apply_edit("hello-ok", hello(self.gateway, self, token))
        self.respond(request, payload)
        self._send_all(self.gateway.sent_after.get("connect", ()))
        if self.is_node:
            self.gateway.nodes.connect(self)
        self.gateway.announce_connection()

    def _authenticate(self, request: Request) -> str | None:
        """Authenticate a connect request and return the device token.

        Raises:
            ConnectError: the request is refused.
        """
        if request.method != "connect":
            raise invalid_connect("invalid handshake: first request must be connect")
        gateway, self.params = self.gateway, request.params
        headers = self.websocket.request.headers if self.websocket.request else {}
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
        return handshake.accept(self.params)

    async def _handle_request(self, request: Request) -> None:
        """Handle a request, with the scripted frames around its response."""
        await self.gateway.wait_released(request.method)
        self._send_all(self.gateway.sent_before.get(request.method, ()))
        try:
            payload = await handle(self.gateway, self, request)
        except RequestError as err:
            self.respond(request, error=err.error)
        else:
            if payload is not RESPONDED:
                self.respond(request, self.gateway.apply_edit(request.method, payload))
        self._send_all(self.gateway.sent_after.get(request.method, ()))

    def _send_all(self, items: tuple[Item, ...]) -> None:
        """Send scripted frames."""
        for item in items:
            self.send(item)
