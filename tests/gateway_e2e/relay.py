"""TCP relay that injects network faults."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ssl import SSLContext
from typing import Final, Self

DELAY: Final = 0.05
SPLIT_DELAY: Final = 0.002
TICK_INTERVAL: Final = b'"tickIntervalMs":30000'

type ForwardChunk = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def forward(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Forward a chunk."""
    writer.write(data)
    await writer.drain()


async def delay(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Forward a chunk after a delay."""
    await asyncio.sleep(DELAY)
    await forward(data, writer)


async def split(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Forward a chunk in two halves, which may split frames."""
    middle = len(data) // 2
    await forward(data[:middle], writer)
    await asyncio.sleep(SPLIT_DELAY)
    await forward(data[middle:], writer)


def replacing(old: bytes, new: bytes) -> ForwardChunk:
    """Return a function to replace bytes."""
    # The frame header contains the length.
    padded = new.ljust(len(old))

    async def replace(data: bytes, writer: asyncio.StreamWriter) -> None:
        await forward(data.replace(old, padded), writer)

    return replace


def with_tick_interval(value: bytes) -> ForwardChunk:
    """Return a function to replace the tick interval."""
    return replacing(TICK_INTERVAL, b'"tickIntervalMs":' + value)


shorten_tick_interval: Final = with_tick_interval(b"600")


class Relay:
    """Relay from a loopback port to a Gateway.

    `up` forwards chunks to the Gateway and `down` to the client, on every
    connection.
    """

    def __init__(
        self,
        target: int,
        ssl: SSLContext | None = None,
        *,
        down: ForwardChunk = forward,
    ) -> None:
        """Relay to a port; `ssl` adds TLS in front."""
        self._target = target
        self._ssl = ssl
        self._writers: set[asyncio.StreamWriter] = set()
        self._resumed = asyncio.Event()
        self.stalled = asyncio.Event()
        self.port = 0
        self.up: ForwardChunk = forward
        self.down = down

    async def __aenter__(self) -> Self:
        """Start listening."""
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and cut all connections."""
        await self.refuse()

    async def listen(self) -> None:
        """Listen, on the previous port if there was one."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self._ssl
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Cut all connections and refuse new ones."""
        self._server.close()
        self.resume()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Abort all connections without closing them."""
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        """Close all connections without a WebSocket close."""
        for writer in self._writers:
            writer.close()

    async def stall(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Hold a chunk until `resume`."""
        self.stalled.set()
        await self._resumed.wait()
        await forward(data, writer)

    def resume(self) -> None:
        """Forward normally, and release held chunks."""
        self.up = self.down = forward
        self._resumed.set()

    async def truncate(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Forward a chunk without its last byte and close, once."""
        self.down = forward
        await forward(data[:-1], writer)
        self.close()

    def cut_before(self, data_part: bytes) -> asyncio.Event:
        """Cut instead of forwarding a chunk with these bytes."""
        done = asyncio.Event()

        async def cut(data: bytes, writer: asyncio.StreamWriter) -> None:
            if data_part not in data:
                await forward(data, writer)
                return
            self.down = forward
            self.cut()
            done.set()

        self.down = cut
        return done

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        target_reader, target_writer = await asyncio.open_connection(
            "127.0.0.1", self._target
        )
        pair = {writer, target_writer}
        self._writers |= pair
        async with asyncio.TaskGroup() as group:
            group.create_task(_forward_all(reader, target_writer, self._forward_up))
            group.create_task(_forward_all(target_reader, writer, self._forward_down))
        self._writers -= pair

    async def _forward_up(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self.up(data, writer)

    async def _forward_down(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self.down(data, writer)


async def _forward_all(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    forward_chunk: ForwardChunk,
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            await forward_chunk(data, writer)
    writer.close()
