"""Gateway process that sends prepared frames.

It runs in a process of its own, so that the benchmark's process does no server work.
The `message` of an `agent` request is `<kind> <count>`: that many events of the kind
precede the final response. Events of the kind `held` wait for the request `bench.go`;
then the runs take turns, one event every PACE seconds, like tokens from a model.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import zip_longest
import sys
import time
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WireFrame, Opcode

from tests.simulator.recordings import payload

type Frame = dict[str, Any]

GO = "bench.go"
PACE = 0.0001
SEGMENT = 20
TIMESTAMP = 1_795_000_000_000


def _wire(frame: Frame) -> bytes:
    return WireFrame(Opcode.TEXT, orjson.dumps(frame)).serialize(mask=False)


def event(name: str, content: Frame, seq: int) -> bytes:
    """Serialize an event of protocol 4."""
    frame = {"type": "event", "event": name, "payload": content, "seq": seq}
    return _wire(frame | {"recipientProfileId": "gateway-owner"})


def response(request: Frame, content: Frame) -> bytes:
    """Serialize a response."""
    frame = {"type": "res", "id": request["id"], "ok": True, "payload": content}
    return _wire(frame)


def _assistant(run_id: str, seq: int, data: Frame) -> bytes:
    content = {
        "runId": run_id,
        "stream": "assistant",
        "data": data,
        "sessionKey": "agent:main:bench",
        "agentId": "main",
        "seq": seq,
        "ts": TIMESTAMP,
    }
    return event("agent", content, seq)


def deltas(run_id: str, count: int) -> Iterator[bytes]:
    """Yield text events of protocol 4."""
    text = ""
    for seq in range(1, count + 1):
        word = f" w{seq}"
        text = word if seq % SEGMENT == 0 else text + word
        item_id = f"{run_id}:{seq // SEGMENT}"
        data = {"text": text, "delta": word, "itemId": item_id}
        yield _assistant(run_id, seq, data)


def cumulative(run_id: str, count: int) -> Iterator[bytes]:
    """Yield text events of protocol 3, which are cumulative."""
    text = ""
    for seq in range(1, count + 1):
        word = f" w{seq}"
        text += word
        yield _assistant(run_id, seq, {"text": text, "delta": word})


def health(_: str, count: int) -> Iterator[bytes]:
    """Yield health broadcasts."""
    recorded = payload(4, "rpc_survey", "health")
    yield from (event("health", recorded, seq) for seq in range(1, count + 1))


KINDS = {"deltas": deltas, "cumulative": cumulative, "health": health, "held": deltas}


@dataclass(frozen=True, slots=True)
class Run:
    """Events and final response of one run."""

    connection: ServerConnection
    frames: list[bytes]


class FrameServer:
    """Connections that share the held runs."""

    def __init__(self) -> None:
        """Start without held runs."""
        self._held: list[Run] = []

    async def serve(self, connection: ServerConnection) -> None:
        """Serve a client until it disconnects."""
        challenge = {"nonce": "00000000-0000-0000-0000-000000000000", "ts": TIMESTAMP}
        connection.transport.write(event("connect.challenge", challenge, 0))
        with suppress(ConnectionClosed):
            async for message in connection:
                self._answer(connection, orjson.loads(message))

    def _answer(self, connection: ServerConnection, request: Frame) -> None:
        match request["method"]:
            case "connect":
                hello = payload(4, "hello_ok", "connect")
                connection.transport.write(response(request, hello))
            case "agent":
                self._run(connection, request)
            case _:
                connection.transport.write(response(request, {}))
                self._go()

    def _run(self, connection: ServerConnection, request: Frame) -> None:
        run_id = request["params"]["idempotencyKey"]
        kind, count = request["params"]["message"].split()
        accepted = {"runId": run_id, "status": "accepted"}
        final = {"runId": run_id, "status": "ok", "result": {"payloads": []}}
        frames = [*KINDS[kind](run_id, int(count)), response(request, final)]
        connection.transport.write(response(request, accepted))
        if kind == "held":
            self._held.append(Run(connection, frames))
        else:
            connection.transport.write(b"".join(frames))

    def _go(self) -> None:
        """Send the held frames, the runs in turn."""
        held, self._held = self._held, []
        for turn in zip_longest(*(run.frames for run in held)):
            for run, frame in zip(held, turn, strict=True):
                if frame:
                    run.connection.transport.write(frame)
                    time.sleep(PACE)


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """Serve on a free port and yield it."""
    async with serve(
        FrameServer().serve,
        "127.0.0.1",
        0,
        compression=None,
        ping_interval=None,
        max_size=None,
    ) as server:
        yield server.sockets[0].getsockname()[1]


async def main() -> None:
    """Print the port and serve until terminated."""
    async with listening() as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
