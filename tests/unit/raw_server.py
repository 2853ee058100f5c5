"""Servers that are no Gateway."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@asynccontextmanager
async def raw_server(answer: bytes) -> AsyncGenerator[int]:
    """CheckOutcome whatever a client sends first, and hang up; give the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close_clients()


@dataclass
class SilentServer:
    """What says nothing to the client that comes."""

    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    leave: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def silent_server() -> AsyncGenerator[SilentServer]:
    """Take a client and say nothing until it is time to leave."""
    silent = SilentServer()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.arrived.set()
        await silent.leave.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        silent.port = server.sockets[0].getsockname()[1]
        try:
            yield silent
        finally:
            silent.leave.set()


def http(status: str, *headers: str) -> bytes:
    """Return an HTTP response without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()
