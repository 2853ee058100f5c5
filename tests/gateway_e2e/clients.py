"""Clients for the tests."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from custom_components.clawd.gateway import (
    AgentRunError,
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    RunRequest,
    Timing,
)

from .editions import Config
from .gateway_harness import GatewayHarness
from .gateways import Gateway, serve_gateway

# A Gateway on a busy machine takes seconds for a handshake.
TIMING: Final = Timing(wait_timeout=1, max_delay=0.5, max_attempts=1_000)
# The first run after a start takes longest.
PATIENT: Final = Timing(connect_timeout=30, request_timeout=60)
MAX_FIRST_RUNS: Final = 3
DEFAULT_AGENT: Final = "main"


def new_client(
    harness: GatewayHarness,
    *,
    port: int | None = None,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    timing: Timing = TIMING,
) -> GatewayClient:
    """Return a client with a new device that retries quickly."""
    endpoint = Endpoint("127.0.0.1", port or harness.port, headers=headers or {})
    return client_at(endpoint, new_credentials(token or harness.token), timing)


def client_at(
    endpoint: Endpoint, credentials: Credentials, timing: Timing = TIMING
) -> GatewayClient:
    """Return a client that retries within a second."""
    return GatewayClient(endpoint, credentials, timing=timing)


def new_credentials(token: str | None) -> Credentials:
    """Return credentials of a new device."""
    return Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"), token)


@asynccontextmanager
async def running(client: GatewayClient) -> AsyncGenerator[GatewayClient]:
    """Run a client and wait until it is connected."""
    task = asyncio.create_task(client.run())
    try:
        await client.wait_connected(retry=False)
        yield client
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def serve_ready_gateway(
    protocol: int,
    *agents: str,
    settings: Config | None = None,
    images: bool = False,
) -> Iterator[Gateway]:
    """Run a Gateway; its default agent, and further ones, have answered once."""
    with serve_gateway(protocol, settings=settings, images=images) as gateway:
        make_ready(gateway, *agents)
        yield gateway


def make_ready(gateway: Gateway, *agents: str) -> None:
    """Start a Gateway that has exited, and let its agents answer after a start."""
    gateway.ensure_running()
    if not gateway.answers:
        # An event loop may be running here already.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, warm_up(gateway, *agents)).result()


async def warm_up(gateway: Gateway, *agents: str) -> None:
    """Let the default agent of a Gateway, and further ones, answer after a start."""
    endpoint = Endpoint("127.0.0.1", gateway.port)
    credentials = new_credentials(gateway.token)
    async with running(client_at(endpoint, credentials, PATIENT)) as client:
        for agent in (DEFAULT_AGENT, *agents):
            await let_answer(client, agent)
    gateway.answers = True


async def let_answer(client: GatewayClient, agent: str) -> None:
    """Let an agent answer for the first time, which opens its database."""
    for _ in range(MAX_FIRST_RUNS):
        run = await client.start_run(RunRequest("say Hello.", f"agent:{agent}:first"))
        # OpenClaw on a busy machine may take the run and fail it, not to be sent
        # again: {"code": "UNAVAILABLE", "message": "Agent database cleanup failed"}.
        with suppress(AgentRunError):
            await run.result()
            return
