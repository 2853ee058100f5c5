"""Minimal client for tests of the wire format."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
import uuid

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import orjson
from websockets.asyncio.client import ClientConnection, connect

from .recordings import Frame

TOKEN = "gateway-token"
CLIENT = {
    "id": "gateway-client",
    "version": "0.1.0",
    "platform": "linux",
    "mode": "ui",
    "displayName": "Home Assistant",
}


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def connect_params(
    challenge: Frame,
    key: Ed25519PrivateKey,
    token: str | None = TOKEN,
    other: Frame | None = None,
    version: str = "v2",
) -> Frame:
    """Return signed parameters of ``connect``; ``other`` replaces entries.

    ``version``: version of the signed text, ``v2`` or ``v3``.
    """
    public = key.public_key().public_bytes_raw()
    params: Frame = {
        "minProtocol": 3,
        "maxProtocol": 4,
        "client": dict(CLIENT),
        "role": "operator",
        "scopes": ["operator.read", "operator.write"],
        "caps": ["tool-events"],
        "auth": {"token": token} if token else {},
    } | (other or {})
    device_id = sha256(public).hexdigest()
    text = [
        version,
        device_id,
        params["client"]["id"],
        params["client"]["mode"],
        params["role"],
        ",".join(params["scopes"]),
        str(challenge["ts"]),
        params["auth"].get("token", ""),
        challenge["nonce"],
    ]
    if version == "v3":
        text += [CLIENT["platform"], ""]
    device = {
        "id": device_id,
        "publicKey": _encode(public),
        "signature": _encode(key.sign("|".join(text).encode())),
        "signedAt": challenge["ts"],
        "nonce": challenge["nonce"],
    }
    return {"device": device, **params}


@dataclass
class RawClient:
    """Client that records every received frame."""

    connection: ClientConnection
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    frames: list[Frame] = field(default_factory=list)

    def agent_events(self, stream: str) -> list[Frame]:
        """Return the data of received agent events of a stream."""
        return [
            frame["payload"]["data"]
            for frame in self.frames
            if frame.get("event") == "agent" and frame["payload"]["stream"] == stream
        ]

    @property
    def deltas(self) -> list[str]:
        """Return the received text deltas."""
        return [data["delta"] for data in self.agent_events("assistant")]

    async def receive(self) -> Frame:
        """Return the next frame."""
        frame: Frame = orjson.loads(await self.connection.recv())
        self.frames.append(frame)
        return frame

    async def receive_until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Return the next frame that matches."""
        while not wanted(frame := await self.receive()):
            pass
        return frame

    async def send(self, method: str, params: Frame | None = None) -> str:
        """Send a request and return its id."""
        id_ = uuid.uuid4().hex[:8]
        frame = {"type": "req", "id": id_, "method": method, "params": params or {}}
        await self.connection.send(orjson.dumps(frame), text=True)
        return id_

    async def response(self, id_: str) -> Frame:
        """Return the next response to a request."""
        return await self.receive_until(
            lambda frame: frame["type"] == "res" and frame["id"] == id_
        )

    async def event(self, name: str) -> Frame:
        """Return the next event with a name."""
        return await self.receive_until(lambda frame: frame.get("event") == name)

    async def request(self, method: str, params: Frame | None = None) -> Frame:
        """Send a request and return its first response."""
        return await self.response(await self.send(method, params))

    async def handshake(self, token: str | None = TOKEN, **other: object) -> Frame:
        """Perform the handshake and return the response to ``connect``."""
        challenge = await self.event("connect.challenge")
        params = connect_params(challenge["payload"], self.key, token, other)
        return await self.request("connect", params)

    async def run(self, message: str, **params: object) -> tuple[Frame, Frame]:
        """Run an agent and return both responses."""
        run_id = params.setdefault("idempotencyKey", uuid.uuid4().hex)
        id_ = await self.send("agent", {"message": message, **params})
        first = await self.response(id_)
        if not first["ok"] or first["payload"]["runId"] != run_id:
            return first, first
        return first, await self.response(id_)


def replies(response: Frame) -> list[str]:
    """Return the texts of a final response."""
    return [item["text"] for item in response["payload"]["result"]["payloads"]]


@asynccontextmanager
async def raw_client(
    url: str,
    key: Ed25519PrivateKey | None = None,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[RawClient]:
    """Open a connection without a handshake."""
    async with connect(
        url,
        compression=None,
        proxy=None,
        max_size=2**25,
        max_queue=None,
        additional_headers=headers,
    ) as connection:
        yield RawClient(connection, key or Ed25519PrivateKey.generate())
