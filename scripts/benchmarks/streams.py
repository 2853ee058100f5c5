"""Figures of what events cost, in CPU of this process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

from custom_components.clawd.gateway import GatewayClient

from .figure import Figure, Sample
from .floor import read_reply
from .source import GO
from .stage import Stage, cpu, read, start


async def _stream(stage: Stage, message: str) -> AsyncGenerator[Sample]:
    """Compare a reply that a client reads with one that is only read."""
    async with stage.bare() as socket, stage.client() as client:
        while True:
            floor = await cpu(read_reply(socket, message))
            ours = await cpu(_reply(client, message))
            yield Sample(floor, ours)


async def _reply(client: GatewayClient, message: str) -> str:
    return await read(await start(client, message))


async def deltas(stage: Stage) -> AsyncGenerator[Sample]:
    """Stream small deltas of protocol 4."""
    async for sample in _stream(stage, f"deltas {stage.counts.deltas}"):
        yield sample


async def cumulative(stage: Stage) -> AsyncGenerator[Sample]:
    """Stream a reply of protocol 3, each event of which holds all of it so far."""
    async for sample in _stream(stage, f"cumulative {stage.counts.tokens}"):
        yield sample


async def broadcasts(stage: Stage) -> AsyncGenerator[Sample]:
    """Receive broadcasts that nobody listens to."""
    async for sample in _stream(stage, f"health {stage.counts.broadcasts}"):
        yield sample


async def _take_turns(
    clients: list[GatewayClient], runs_each: int, events: int
) -> float:
    """Return the microseconds of CPU that a frame costs, run after run in turn.

    There are `events` events, and the final response of each run.
    """
    count = events // (len(clients) * runs_each)
    runs = [
        await start(client, f"held {count}")
        for client in clients
        for _ in range(runs_each)
    ]
    readers = asyncio.gather(*(read(run) for run in runs))
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(clients[0].request(GO))
        return await cpu(readers) * 1000 / (events + len(runs))


async def concurrent_runs(stage: Stage) -> AsyncGenerator[Sample]:
    """Compare many runs on one client with one run of as many events."""
    async with stage.client() as client:
        while True:
            events = stage.counts.turns
            floor = await _take_turns([client], 1, events)
            ours = await _take_turns([client], stage.counts.runs, events)
            yield Sample(floor, ours)


async def many_clients(stage: Stage) -> AsyncGenerator[Sample]:
    """Compare many clients, a run each, with one of as many events."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(stage.client())
            for _ in range(stage.counts.clients)
        ]
        while True:
            events = stage.counts.turns
            floor = await _take_turns(clients[:1], 1, events)
            ours = await _take_turns(clients, 1, events)
            yield Sample(floor, ours)


FIGURES = (
    Figure("deltas", "20,000 small v4 deltas", "ms CPU", 1.5, 15, deltas),
    Figure("cumulative", "2,000-token v3 reply", "ms CPU", 1.25, 45, cumulative),
    Figure("broadcasts", "20,000 unheard broadcasts", "ms CPU", 1.0, 15, broadcasts),
    Figure("runs", "a frame, 1,000 runs beside 1", "µs CPU", 1.3, 7, concurrent_runs),
    Figure("clients", "a frame, 100 clients beside 1", "µs CPU", 1.3, 7, many_clients),
)
