"""Round trip of tool calls."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from subprocess import PIPE
import sys

from custom_components.clawd.gateway import (
    NODE_PROFILE,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    NodeCall,
    NodeHost,
    NodeTool,
    approve_node,
)
from scripts.home_assistant.folder import HOST, ROOT
from scripts.home_assistant.processes import child

from .baseline import SESSION
from .benchmark import Benchmark, Sample
from .harness import INFO, Harness, port_of, running, wall_time
from .soak_gateway import TOKEN

SERVER = [sys.executable, "-m", "scripts.benchmarks.soak_gateway", "4"]
STATE = NodeTool("home_state", "States of the home.", {"type": "object"})


async def node(harness: Harness) -> AsyncGenerator[Sample]:
    """Compare a tool call through the node with a plain request.

    A request is two frames, a call five: request, call, result and two responses.
    """
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(child(SERVER, ROOT, PIPE))
        endpoint = Endpoint(HOST, await port_of(process))
        operator = _client(endpoint)
        await stack.enter_async_context(running(operator))
        await stack.enter_async_context(_node(endpoint))

        async def request() -> None:
            await operator.system.health()

        async def call() -> None:
            await operator.tools.invoke("home_state", {"action": "x"}, SESSION)

        count = harness.counts.calls
        while True:
            yield Sample(await _mean(request, count), await _mean(call, count))


@asynccontextmanager
async def _node(endpoint: Endpoint) -> AsyncGenerator[None]:
    """Run an approved node that has published its tool."""
    client = _client(endpoint, node=True)
    host, published = NodeHost(client, _answer), asyncio.Event()
    host.subscribe(published.set)
    stop = host.start()
    host.set_tools((STATE,))
    async with running(client):
        credentials = Credentials(DeviceIdentity.generate(), INFO, TOKEN)
        await approve_node(endpoint, credentials, client.device_id)
        await published.wait()
        yield
    stop()


def _client(endpoint: Endpoint, *, node: bool = False) -> GatewayClient:
    credentials = Credentials(DeviceIdentity.generate(), INFO, TOKEN)
    if node:
        return GatewayClient(endpoint, credentials, profile=NODE_PROFILE)
    return GatewayClient(endpoint, credentials)


async def _answer(_: NodeCall) -> str:
    return "on"


async def _mean(use: Callable[[], Awaitable[None]], count: int) -> float:
    """Return the mean milliseconds of one use after another."""

    async def repeat() -> None:
        for _ in range(count):
            await use()

    return await wall_time(repeat()) / count


BENCHMARKS = (Benchmark("node", "tool call of the home", "ms", 3.0, 20, node),)
