"""Relay between a client and its Gateway, which does what networks do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ssl import SSLContext
from typing import Final, Self

DELAY: Final = 0.05
SPLIT: Final = 0.002
TICK: Final = (b'"tickIntervalMs":30000', b'"tickIntervalMs":600  ')

type Way = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def forward(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Pass a chunk on."""
    writer.write(data)
    await writer.drain()


async def delay(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Pass a chunk on later."""
    await asyncio.sleep(DELAY)
    await forward(data, writer)


async def halve(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Pass a chunk on in two halves, whatever frames that splits."""
    middle = len(data) // 2
    await forward(data[:middle], writer)
    await asyncio.sleep(SPLIT)
    await forward(data[middle:], writer)


async def hurry(data: bytes, writer: asyncio.StreamWriter) -> None:
    """Pass a chunk on; a hello then promises ticks sooner than they come."""
    await forward(data.replace(*TICK), writer)


class Relay:
    """A port of loopback that leads to another one.

    `up` is the way to the Gateway and `down` the one back: how each chunk is
    passed on, from now on and on every connection.
    """

    def __init__(
        self, target: int, ssl: SSLContext | None = None, *, down: Way = forward
    ) -> None:
        """Lead to the port `target`, with TLS in front of it if `ssl` is set."""
        self._target = target
        self._ssl = ssl
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self.stalled = asyncio.Event()
        self.port = 0
        self.up: Way = forward
        self.down = down

    async def __aenter__(self) -> Self:
        """Start to listen."""
        await self.admit()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut what is left and stop to listen."""
        await self.refuse()

    async def admit(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self._ssl
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Cut all connections and refuse new ones."""
        self._server.close()
        self.flow()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Cut all connections without a word, as a network does."""
        for writer in self._writers:
            writer.transport.abort()

    def hang_up(self) -> None:
        """End all connections politely, but below the WebSocket."""
        for writer in self._writers:
            writer.close()

    async def stall(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Keep a chunk until all flows again."""
        self.stalled.set()
        await self._flows.wait()
        await forward(data, writer)

    def flow(self) -> None:
        """Pass everything on as it comes, and what was kept."""
        self.up = self.down = forward
        self._flows.set()

    async def truncate(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Pass a chunk on without its last byte and hang up, once."""
        self.down = forward
        await forward(data[:-1], writer)
        self.hang_up()

    def cut_before(self, word: bytes) -> asyncio.Event:
        """Cut in place of the next chunk from the Gateway with a word in it."""
        done = asyncio.Event()

        async def cut(data: bytes, writer: asyncio.StreamWriter) -> None:
            if word not in data:
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
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target
        )
        pair = {writer, far_writer}
        self._writers |= pair
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, far_writer, self._go_up))
            group.create_task(_pump(far_reader, writer, self._go_down))
        self._writers -= pair

    async def _go_up(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self.up(data, writer)

    async def _go_down(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        await self.down(data, writer)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way
) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            await way(data, writer)
    writer.close()
