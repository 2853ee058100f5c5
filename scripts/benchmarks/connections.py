"""Time to connect, idle wake-ups and memory."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
import gc
import tracemalloc

from custom_components.clawd.gateway import NODE_PROFILE, NodeCall, NodeHost

from .benchmark import Benchmark, Sample
from .harness import Harness, read, start, wall_time

EVENTS = 300

type Opener = Callable[[Harness, AsyncExitStack], Awaitable[None]]


async def connect(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare connecting without and with a client."""
    while True:
        async with AsyncExitStack() as stack:
            bare = stack.enter_async_context(harness.bare_connection())
            baseline = await wall_time(bare)
            client = stack.enter_async_context(harness.client())
            yield Sample(baseline, await wall_time(client))


async def wake_ups(harness: Harness) -> AsyncGenerator[Sample]:
    """Count the wake-ups that an idle client adds."""
    while True:
        async with harness.bare_connection():
            baseline = await _iterations(harness)
        async with harness.client() as client:
            await read(await start(client, "deltas 1"))
            yield Sample(baseline, await _iterations(harness) - baseline)


async def node_wake_ups(harness: Harness) -> AsyncGenerator[Sample]:
    """Count the wake-ups that an idle node adds to an idle client."""
    while True:
        async with harness.client() as client:
            await read(await start(client, "deltas 1"))
            baseline = await _iterations(harness)
            async with harness.client(NODE_PROFILE) as node:
                stop = NodeHost(node, _answer).start()
                yield Sample(baseline, await _iterations(harness) - baseline)
                stop()


async def _answer(_: NodeCall) -> str:
    return ""


async def _iterations(harness: Harness) -> int:
    await asyncio.sleep(harness.counts.quiet / 10)
    before = harness.selector.iterations
    await asyncio.sleep(harness.counts.quiet)
    return harness.selector.iterations - before


async def memory(harness: Harness) -> AsyncGenerator[Sample]:
    """Measure the memory that Python allocates for a client.

    It has received EVENTS events, so its histories are full. Resident memory would
    depend on earlier benchmarks.
    """
    while True:
        baseline = await _allocated(harness, _bare_connections)
        yield Sample(baseline, await _allocated(harness, _used_clients))


async def _bare_connections(harness: Harness, stack: AsyncExitStack) -> None:
    for _ in range(harness.counts.clients):
        await stack.enter_async_context(harness.bare_connection())


async def _used_clients(harness: Harness, stack: AsyncExitStack) -> None:
    for _ in range(harness.counts.clients):
        client = await stack.enter_async_context(harness.client())
        await read(await start(client, f"deltas {EVENTS}"))


async def _allocated(harness: Harness, opener: Opener) -> float:
    """Measure the kilobytes per opened connection."""
    async with AsyncExitStack() as stack:
        tracemalloc.start()
        try:
            await opener(harness, stack)
            gc.collect()
            current, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return current / harness.counts.clients / 1000


BENCHMARKS = (
    Benchmark("connect", "connect to hello", "ms", 1.5, 50, connect),
    Benchmark(
        "wake_ups", "wake-ups in 3 quiet seconds", "", 0, 2, wake_ups, absolute=True
    ),
    Benchmark(
        "node_wake_ups",
        "wake-ups of a node in them",
        "",
        0,
        2,
        node_wake_ups,
        absolute=True,
    ),
    Benchmark("memory", "memory of a client", "kB", 300, 2, memory, absolute=True),
)
