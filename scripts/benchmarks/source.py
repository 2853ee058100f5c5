"""A Gateway that only sends: prepared frames, as fast as the socket takes them.

It is a process of its own, so that a measured process does no work of a server.
The `message` of an `agent` request is `<kind> <count>`: so many events of a kind
come before the final response. `held` ones wait for the request `bench.go`, then
all runs take turns, an event every PACE seconds, as tokens come from a model.
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
    """Return an event as it is on the wire of protocol 4."""
    frame = {"type": "event", "event": name, "payload": content, "seq": seq}
    return _wire(frame | {"recipientProfileId": "gateway-owner"})


def response(request: Frame, content: Frame) -> bytes:
    """Return a response as it is on the wire."""
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
    """Yield protocol 4's events of words; a segment ends after every 20."""
    text = ""
    for seq in range(1, count + 1):
        word = f" w{seq}"
        text = word if seq % SEGMENT == 0 else text + word
        item_id = f"{run_id}:{seq // SEGMENT}"
        data = {"text": text, "delta": word, "itemId": item_id}
        yield _assistant(run_id, seq, data)


def cumulative(run_id: str, count: int) -> Iterator[bytes]:
    """Yield protocol 3's events of words: each holds the whole text so far."""
    text = ""
    for seq in range(1, count + 1):
        word = f" w{seq}"
        text += word
        yield _assistant(run_id, seq, {"text": text, "delta": word})


def health(_: str, count: int) -> Iterator[bytes]:
    """Yield broadcasts of the Gateway's health."""
    recorded = payload(4, "rpc_survey", "health")
    yield from (event("health", recorded, seq) for seq in range(1, count + 1))


KINDS = {"deltas": deltas, "cumulative": cumulative, "health": health, "held": deltas}


@dataclass(frozen=True, slots=True)
class Run:
    """What one request `agent` gets: its events, then the final response."""

    connection: ServerConnection
    frames: list[bytes]


class Source:
    """The connections of one Gateway; they share the runs that are held."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: list[Run] = []

    async def serve(self, connection: ServerConnection) -> None:
        """Speak with a client until it leaves."""
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
        """Send what is held, a frame of each run in turn."""
        held, self._held = self._held, []
        for turn in zip_longest(*(run.frames for run in held)):
            for run, frame in zip(held, turn, strict=True):
                if frame:
                    run.connection.transport.write(frame)
                    time.sleep(PACE)


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """Serve on a free port and give it."""
    async with serve(
        Source().serve,
        "127.0.0.1",
        0,
        compression=None,
        ping_interval=None,
        max_size=None,
    ) as server:
        yield server.sockets[0].getsockname()[1]


async def main() -> None:
    """Print the port and serve until this process is ended."""
    async with listening() as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
