"""What the figures share: the source, a bare connection, a client of ours."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import gc
import selectors
from subprocess import PIPE
import sys
import time

from websockets.asyncio.client import ClientConnection

from custom_components.clawd.gateway import (
    AgentRun,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    RunRequest,
)
from scripts.home_assistant.folder import HOST, ROOT
from scripts.home_assistant.processes import child

from .floor import SESSION, shake_hands

INFO = ClientInfo("0")
SOURCE = [sys.executable, "-m", "scripts.benchmarks.source"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is measured; `quiet` in seconds."""

    deltas: int = 20_000
    tokens: int = 2_000
    broadcasts: int = 20_000
    turns: int = 10_000
    runs: int = 1_000
    clients: int = 100
    quiet: float = 3.0
    words: int = 10


class CountingSelector(selectors.DefaultSelector):
    """A selector that knows how often the event loop came round."""

    rounds = 0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files, and count."""
        self.rounds += 1
        return super().select(timeout)


@dataclass(frozen=True, slots=True)
class Stage:
    """One source, and what may be connected to it."""

    port: int
    identity: DeviceIdentity
    counts: Counts
    selector: CountingSelector

    @asynccontextmanager
    async def bare(self) -> AsyncGenerator[ClientConnection]:
        """Hold a connection without a client."""
        async with await shake_hands(self.port, self.identity) as socket:
            yield socket

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[GatewayClient]:
        """Hold a connected client."""
        client = GatewayClient(
            Endpoint(HOST, self.port), Credentials(self.identity, INFO, "token")
        )
        async with running(client):
            yield client


@asynccontextmanager
async def running(client: GatewayClient) -> AsyncGenerator[None]:
    """Let a client connect, and stop it at the end."""
    task = asyncio.create_task(client.run())
    try:
        await client.wait_connected()
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def stage(counts: Counts, selector: CountingSelector) -> AsyncGenerator[Stage]:
    """Run the source in a process of its own."""
    async with child(SOURCE, ROOT, PIPE) as process:
        port = await port_of(process)
        yield Stage(port, DeviceIdentity.generate(), counts, selector)


async def port_of(server: Process) -> int:
    """Return the port that a server prints when it listens."""
    line = await server.stdout.readline() if server.stdout else b""
    if not line:
        raise ChildProcessError("a server ended before it listened")
    return int(line)


async def start(client: GatewayClient, message: str) -> AgentRun:
    """Start a run of the source's script."""
    return await client.start_run(RunRequest(message, SESSION))


async def read(run: AgentRun) -> str:
    """Read a run to its end."""
    return "".join([delta async for delta in run])


async def cpu(work: Awaitable[object]) -> float:
    """Return the milliseconds of CPU that work takes in this process."""
    gc.collect()
    started = time.process_time()
    await work
    return (time.process_time() - started) * 1000


async def wall(work: Awaitable[object]) -> float:
    """Return the milliseconds that work takes."""
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000
