"""Relay between a client and its Gateway that can be cut."""

import asyncio
from contextlib import suppress
from ssl import SSLContext
from typing import Self


class Relay:
    """A port of loopback that leads to another one."""

    def __init__(self, target: int, ssl: SSLContext | None = None) -> None:
        """Lead to the port `target`, with TLS in front of it if `ssl` is set."""
        self._target = target
        self._ssl = ssl
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        """Start to listen."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._ssl
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut what is left and stop to listen."""
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Cut all connections without a word, as a network does."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target
        )
        pair = {writer, far_writer}
        self._writers |= pair
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(reader, far_writer))
            group.create_task(_pump(far_reader, writer))
        self._writers -= pair


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
