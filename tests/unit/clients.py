"""Clients of a simulated Gateway, with short deadlines."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from custom_components.clawd.gateway import (
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    SleepDetector,
    Timing,
    Transition,
)
from tests.simulator import GatewaySimulator

TIMING = Timing(
    connect_timeout=2,
    request_timeout=2,
    run_timeout=4,
    wait_timeout=0.05,
    poll_interval=0.001,
    close_timeout=0.1,
    initial_delay=0.001,
    max_delay=0.002,
    max_attempts=1_000,
)


def client_of(
    gateway: GatewaySimulator,
    timing: Timing = TIMING,
    sleep_detector: SleepDetector | None = None,
) -> GatewayClient:
    """Return a client of the Gateway that does nothing yet."""
    return client_at(gateway.port, timing, gateway.token, sleep_detector)


def client_at(
    port: int,
    timing: Timing = TIMING,
    token: str | None = None,
    sleep_detector: SleepDetector | None = None,
) -> GatewayClient:
    """Return a client of whatever listens at a port."""
    return GatewayClient(
        Endpoint("127.0.0.1", port),
        Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"), token),
        timing=timing,
        sleep_detector=sleep_detector,
    )


@asynccontextmanager
async def running(client: GatewayClient) -> AsyncGenerator[asyncio.Task[None]]:
    """Let a client run, and stop it at the end."""
    task = asyncio.create_task(client.run())
    try:
        yield task
    finally:
        await stop(task)


@asynccontextmanager
async def connected(
    gateway: GatewaySimulator, timing: Timing = TIMING
) -> AsyncGenerator[GatewayClient]:
    """Let a client run that has connected to the Gateway."""
    client = client_of(gateway, timing)
    async with running(client):
        await client.wait_connected()
        yield client


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def changed(client: GatewayClient) -> None:
    """Wait until the state of a client changes."""
    event = asyncio.Event()
    unsubscribe = client.subscribe_state(lambda _: event.set())
    await event.wait()
    unsubscribe()


async def reached(client: GatewayClient, state: ConnectionState) -> None:
    """Wait until a client is in a state, be it for an instant."""
    seen = asyncio.Event()

    def look(transition: Transition) -> None:
        if transition.state is state:
            seen.set()

    unsubscribe = client.subscribe_state(look)
    if client.state is not state:
        await seen.wait()
    unsubscribe()
