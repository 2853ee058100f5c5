"""Servers without the Gateway protocol."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
import socket


@asynccontextmanager
async def raw_server(response: bytes) -> AsyncGenerator[int]:
    """Serve one fixed response per connection; yield the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(response)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close_clients()


@dataclass
class SilentServer:
    """Server that sends nothing."""

    port: int = 0
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def silent_server() -> AsyncGenerator[SilentServer]:
    """Serve connections that stay silent until released."""
    silent = SilentServer()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent.accepted.set()
        await silent.release.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        silent.port = server.sockets[0].getsockname()[1]
        try:
            yield silent
        finally:
            silent.release.set()


def http(status: str, *headers: str) -> bytes:
    """Return an HTTP response without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


@contextmanager
def swallowing() -> Iterator[int]:
    """Listen on a port that swallows SYNs: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.settimeout(0)
            with suppress(BlockingIOError):
                client.connect(("127.0.0.1", port))
        try:
            yield port
        finally:
            for client in waiting:
                client.close()
