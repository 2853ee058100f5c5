"""Clients with short timeouts."""

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
    min_tick_interval=0,
    address_delay=0.001,
    resend_delay=0.001,
)


def client_of(
    gateway: GatewaySimulator,
    timing: Timing = TIMING,
    sleep_detector: SleepDetector | None = None,
) -> GatewayClient:
    """Return a client of a Gateway, not running."""
    return client_at(gateway.port, timing, gateway.token, sleep_detector)


def client_at(
    port: int,
    timing: Timing = TIMING,
    token: str | None = None,
    sleep_detector: SleepDetector | None = None,
) -> GatewayClient:
    """Return a client of a local port."""
    return GatewayClient(
        Endpoint("127.0.0.1", port),
        Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"), token),
        timing=timing,
        sleep_detector=sleep_detector,
    )


@asynccontextmanager
async def running(client: GatewayClient) -> AsyncGenerator[asyncio.Task[None]]:
    """Run a client until the context exits."""
    task = asyncio.create_task(client.run())
    try:
        yield task
    finally:
        await stop(task)


@asynccontextmanager
async def connected(
    gateway: GatewaySimulator, timing: Timing = TIMING
) -> AsyncGenerator[GatewayClient]:
    """Run a connected client."""
    client = client_of(gateway, timing)
    async with running(client):
        await client.wait_connected()
        yield client


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def wait_for_transition(client: GatewayClient) -> None:
    """Wait for the next transition of a client."""
    event = asyncio.Event()
    unsubscribe = client.subscribe_state(lambda _: event.set())
    await event.wait()
    unsubscribe()


async def wait_for_state(client: GatewayClient, state: ConnectionState) -> None:
    """Wait until a client enters a state.

    The state counts even if the client leaves it immediately.
    """
    entered = asyncio.Event()

    def check(transition: Transition) -> None:
        if transition.state is state:
            entered.set()

    unsubscribe = client.subscribe_state(check)
    if client.state is not state:
        await entered.wait()
    unsubscribe()
