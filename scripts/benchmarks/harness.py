"""Shared setup of the benchmarks."""

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
    OPERATOR_PROFILE,
    AgentRun,
    ClientInfo,
    ConnectProfile,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    RunRequest,
)
from scripts.home_assistant.folder import HOST, ROOT
from scripts.home_assistant.processes import child

from .baseline import SESSION, handshake

INFO = ClientInfo("0")
SERVER = [sys.executable, "-m", "scripts.benchmarks.frame_server"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Amounts to measure; `quiet` is in seconds."""

    deltas: int = 20_000
    tokens: int = 2_000
    broadcasts: int = 20_000
    turns: int = 10_000
    runs: int = 1_000
    clients: int = 100
    quiet: float = 3.0
    words: int = 10
    calls: int = 200
    entities: int = 2_000


class CountingSelector(selectors.DefaultSelector):
    """A selector that counts the event loop's iterations."""

    iterations = 0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Count an iteration, then select."""
        self.iterations += 1
        return super().select(timeout)


@dataclass(frozen=True, slots=True)
class Harness:
    """A running frame server, and connections to it."""

    port: int
    identity: DeviceIdentity
    counts: Counts
    selector: CountingSelector

    @asynccontextmanager
    async def bare_connection(self) -> AsyncGenerator[ClientConnection]:
        """Open a connection without a client."""
        async with await handshake(self.port, self.identity) as socket:
            yield socket

    @asynccontextmanager
    async def client(
        self, profile: ConnectProfile = OPERATOR_PROFILE
    ) -> AsyncGenerator[GatewayClient]:
        """Run a connected client."""
        client = GatewayClient(
            Endpoint(HOST, self.port),
            Credentials(self.identity, INFO, "token"),
            profile=profile,
        )
        async with running(client):
            yield client


@asynccontextmanager
async def running(client: GatewayClient) -> AsyncGenerator[None]:
    """Run a client until the end of the block."""
    task = asyncio.create_task(client.run())
    try:
        await client.wait_connected()
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def open_harness(
    counts: Counts, selector: CountingSelector
) -> AsyncGenerator[Harness]:
    """Run the frame server in its own process."""
    async with child(SERVER, ROOT, PIPE) as process:
        port = await port_of(process)
        yield Harness(port, DeviceIdentity.generate(), counts, selector)


async def port_of(server: Process) -> int:
    """Read the port that a server process prints."""
    line = await server.stdout.readline() if server.stdout else b""
    if not line:
        raise ChildProcessError("the server ended before it listened")
    return int(line)


async def start(client: GatewayClient, message: str) -> AgentRun:
    """Start a run of the frame server."""
    return await client.start_run(RunRequest(message, SESSION))


async def read(run: AgentRun) -> str:
    """Read the text of a run."""
    return "".join([delta async for delta in run])


async def cpu_time(work: Awaitable[object]) -> float:
    """Measure the milliseconds of CPU in this process."""
    gc.collect()  # or garbage of earlier work counts here
    started = time.process_time()
    await work
    return (time.process_time() - started) * 1000


async def wall_time(work: Awaitable[object]) -> float:
    """Measure the milliseconds of wall-clock time."""
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000
