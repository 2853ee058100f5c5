"""Figures of connections: their start, their rest, their size."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
import gc
import tracemalloc

from .figure import Figure, Sample
from .stage import Stage, read, start, wall

EVENTS = 300

type Opener = Callable[[Stage, AsyncExitStack], Awaitable[None]]


async def connect(stage: Stage) -> AsyncGenerator[Sample]:
    """Compare the way to a hello with a bare handshake."""
    while True:
        async with AsyncExitStack() as stack:
            floor = await wall(stack.enter_async_context(stage.bare()))
            ours = await wall(stack.enter_async_context(stage.client()))
            yield Sample(floor, ours)


async def wake_ups(stage: Stage) -> AsyncGenerator[Sample]:
    """Count how often the event loop comes round while nothing arrives.

    The floor is a bare connection; ours is what a client adds to it.
    """
    while True:
        async with stage.bare():
            floor = await _rounds(stage)
        async with stage.client() as client:
            await read(await start(client, "deltas 1"))
            yield Sample(floor, await _rounds(stage) - floor)


async def _rounds(stage: Stage) -> int:
    await asyncio.sleep(stage.counts.quiet / 10)
    before = stage.selector.rounds
    await asyncio.sleep(stage.counts.quiet)
    return stage.selector.rounds - before


async def memory(stage: Stage) -> AsyncGenerator[Sample]:
    """Measure what Python allocates for a client that has seen some events.

    Its traces are full then. Resident memory would depend on what ran before.
    The floor is a bare connection.
    """
    while True:
        floor = await _allocated(stage, _bare_connections)
        yield Sample(floor, await _allocated(stage, _used_clients))


async def _bare_connections(stage: Stage, stack: AsyncExitStack) -> None:
    for _ in range(stage.counts.clients):
        await stack.enter_async_context(stage.bare())


async def _used_clients(stage: Stage, stack: AsyncExitStack) -> None:
    for _ in range(stage.counts.clients):
        client = await stack.enter_async_context(stage.client())
        await read(await start(client, f"deltas {EVENTS}"))


async def _allocated(stage: Stage, opener: Opener) -> float:
    """Return the kilobytes of one of the many that are opened."""
    async with AsyncExitStack() as stack:
        tracemalloc.start()
        try:
            await opener(stage, stack)
            gc.collect()
            current, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return current / stage.counts.clients / 1000


FIGURES = (
    Figure("connect", "connect to hello", "ms", 1.5, 50, connect),
    Figure(
        "wake_ups", "wake-ups in 3 quiet seconds", "", 0, 2, wake_ups, absolute=True
    ),
    Figure("memory", "memory of a client", "kB", 300, 2, memory, absolute=True),
)
