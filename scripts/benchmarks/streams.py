"""CPU time of events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from custom_components.clawd.gateway import GatewayClient

from .baseline import read_reply
from .benchmark import Benchmark, Sample
from .frame_server import GO
from .harness import Harness, cpu_time, read, start


async def _stream(harness: Harness, message: str) -> AsyncGenerator[Sample]:
    """Compare replies without and with a client."""
    async with harness.bare_connection() as socket, harness.client() as client:
        while True:
            baseline = await cpu_time(read_reply(socket, message))
            yield Sample(baseline, await cpu_time(_reply(client, message)))


async def _reply(client: GatewayClient, message: str) -> str:
    return await read(await start(client, message))


async def deltas(harness: Harness) -> AsyncGenerator[Sample]:
    """Stream small deltas of protocol 4."""
    async for sample in _stream(harness, f"deltas {harness.counts.deltas}"):
        yield sample


async def cumulative(harness: Harness) -> AsyncGenerator[Sample]:
    """Stream cumulative text of protocol 3."""
    async for sample in _stream(harness, f"cumulative {harness.counts.tokens}"):
        yield sample


async def broadcasts(harness: Harness) -> AsyncGenerator[Sample]:
    """Receive broadcasts without a listener."""
    async for sample in _stream(harness, f"health {harness.counts.broadcasts}"):
        yield sample


async def _interleave(
    clients: list[GatewayClient], runs_each: int, events: int
) -> float:
    """Measure the microseconds of CPU per frame."""
    count = events // (len(clients) * runs_each)
    runs = [
        await start(client, f"held {count}")
        for client in clients
        for _ in range(runs_each)
    ]
    readers = asyncio.gather(*(read(run) for run in runs))
    await asyncio.sleep(0)  # the readers start before the clock
    async with asyncio.TaskGroup() as group:
        group.create_task(clients[0].request(GO))
        return await cpu_time(readers) * 1000 / (events + len(runs))


async def concurrent_runs(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare one run with many."""
    async with harness.client() as client:
        while True:
            events = harness.counts.turns
            baseline = await _interleave([client], 1, events)
            runs = harness.counts.runs
            yield Sample(baseline, await _interleave([client], runs, events))


async def many_clients(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare one client with many."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(harness.client())
            for _ in range(harness.counts.clients)
        ]
        while True:
            events = harness.counts.turns
            baseline = await _interleave(clients[:1], 1, events)
            yield Sample(baseline, await _interleave(clients, 1, events))


BENCHMARKS = (
    Benchmark("deltas", "20,000 small v4 deltas", "ms CPU", 1.5, 15, deltas),
    Benchmark("cumulative", "2,000-token v3 reply", "ms CPU", 1.25, 45, cumulative),
    Benchmark("broadcasts", "20,000 unheard broadcasts", "ms CPU", 1.0, 15, broadcasts),
    Benchmark(
        "runs", "a frame, 1,000 runs beside 1", "µs CPU", 1.3, 7, concurrent_runs
    ),
    Benchmark(
        "clients", "a frame, 100 clients beside 1", "µs CPU", 1.3, 7, many_clients
    ),
)
