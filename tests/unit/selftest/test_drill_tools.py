"""Interruption of the connection."""

import asyncio

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ConnectionLostError,
    GatewayClient,
    GatewayConnectionError,
    NotConnectedError,
)
from tests.simulator import GatewaySimulator
from tests.unit.clients import client_of, connected, wait_for_transition


async def _interrupt(client: GatewayClient, close_code: int | None = None) -> None:
    """Interrupt a client and wait for its reconnect."""
    transition = asyncio.create_task(wait_for_transition(client))
    await asyncio.sleep(0)
    await client.interrupt(close_code)
    await transition
    await client.wait_connected()


@pytest.mark.parametrize(("given", "seen"), [(None, 1006), (1012, 1012)])
async def test_interrupted_client_reconnects(
    gateway: GatewaySimulator, given: int | None, seen: int
) -> None:
    async with connected(gateway) as client:
        await _interrupt(client, given)
        assert await client.request("health")
    [error] = [
        c.error for c in client.introspection.transitions if c.cause is Cause.LOST
    ]
    assert isinstance(error, ConnectionLostError)
    assert error.close_code == seen


async def test_interrupt_fails_pending_requests(gateway: GatewaySimulator) -> None:
    gateway.hold("health")
    async with connected(gateway) as client:
        request = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        await client.interrupt()
        with pytest.raises(ConnectionLostError):
            await request


async def test_interrupt_without_connection_fails(
    gateway: GatewaySimulator,
) -> None:
    with pytest.raises(NotConnectedError):
        await client_of(gateway).interrupt()


async def test_retry_loop_does_not_starve_reader(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        lost = 0
        await client.interrupt()
        await asyncio.sleep(0)
        for _ in range(1_000):
            await client.wait_connected()
            try:
                await client.request("health")
                break
            except GatewayConnectionError:
                lost += 1
        assert lost < 10
