"""Clients for the tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    Timing,
)

from .gateway_harness import GatewayHarness

TIMING: Final = Timing(
    connect_timeout=3, wait_timeout=1, max_delay=0.5, max_attempts=1_000
)


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
