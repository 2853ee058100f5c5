"""Baseline: websockets and orjson, without a client's logic."""

from typing import Any
from uuid import uuid4

import orjson
from websockets.asyncio.client import ClientConnection, connect

from custom_components.clawd.gateway import DeviceIdentity

SESSION = "agent:main:bench"


def _request(request_id: str, method: str, params: dict[str, Any]) -> bytes:
    frame = {"type": "req", "id": request_id, "method": method, "params": params}
    return orjson.dumps(frame)


def _device(identity: DeviceIdentity, nonce: str, ts: int) -> dict[str, Any]:
    signed = ("v2", identity.device_id, "gateway-client", "ui", str(ts), nonce)
    return {
        "id": identity.device_id,
        "publicKey": identity.public_key,
        "signature": identity.sign("|".join(signed)),
        "signedAt": ts,
        "nonce": nonce,
    }


async def handshake(port: int, identity: DeviceIdentity) -> ClientConnection:
    """Connect, and sign the challenge."""
    socket = await connect(
        f"ws://127.0.0.1:{port}", compression=None, proxy=None, max_size=None
    )
    challenge = orjson.loads(await socket.recv(decode=False))["payload"]
    params = {"maxProtocol": 4, "device": _device(identity, **challenge)}
    await socket.send(_request("0", "connect", params), text=True)
    orjson.loads(await socket.recv(decode=False))
    return socket


async def read_reply(socket: ClientConnection, message: str) -> str:
    """Start a run and return its text."""
    params = {
        "message": message,
        "sessionKey": SESSION,
        "idempotencyKey": uuid4().hex,
    }
    await socket.send(_request("1", "agent", params), text=True)
    deltas: list[str] = []
    while True:
        frame = orjson.loads(await socket.recv(decode=False))
        if frame["type"] == "event":
            if frame["event"] == "agent":
                deltas.append(frame["payload"]["data"]["delta"])
        elif frame["payload"]["status"] == "ok":
            return "".join(deltas)
