"""Stopping of the client."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    ConnectionLostError,
    ConnectionState,
    NotConnectedError,
    RequestTimeoutError,
    RunRequest,
)
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import TIMING, client_of, running, stop

pytestmark = pytest.mark.parametrize("protocol", [4])  # the same on protocol 3

S = ConnectionState
LARGE_PARAMS = {"x": "y" * 10_000_000}


async def wait_forever(_: object) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def stalled(gateway: GatewaySimulator) -> AsyncGenerator[None]:
    """Stall the Gateway; afterwards its connections must close."""
    transports = [client.websocket.transport for client in gateway.open_connections]
    for transport in transports:
        transport.pause_reading()
    yield
    for transport in transports:
        transport.resume_reading()
    await gateway.wait_until(lambda: not gateway.open_connections)


@asynccontextmanager
async def within_a_second() -> AsyncGenerator[None]:
    """Limit the body to one second."""
    async with asyncio.timeout(1):
        yield


async def test_request_to_stalled_peer_times_out(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with stalled(gateway), within_a_second():
            with pytest.raises(RequestTimeoutError):
                await client.request("health", LARGE_PARAMS, timeout=0.01)
            await stop(task)


async def test_run_to_stalled_peer_times_out(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, request_timeout=0.01))
    async with running(client) as task:
        await client.wait_connected()
        async with stalled(gateway), within_a_second():
            with pytest.raises(RequestTimeoutError):
                await client.start_run(RunRequest(LARGE_PARAMS["x"], "agent:main:x"))
            assert client.introspection.runs == ()
            await stop(task)


async def test_client_with_stalled_peer_stops_in_time(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with stalled(gateway), within_a_second():
            request = asyncio.create_task(client.request("health", LARGE_PARAMS))
            await asyncio.sleep(0)
            await stop(task)
            with pytest.raises(NotConnectedError):
                await request


async def test_client_with_mute_peer_stops_in_time(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        gateway.mute()
        async with stalled(gateway), within_a_second():
            await stop(task)


async def test_mute_and_stalled_peer_is_disconnected(
    gateway: GatewaySimulator,
) -> None:
    gateway.policy["tickIntervalMs"] = 20
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.mute()
        async with stalled(gateway), within_a_second():
            request = asyncio.create_task(client.request("health", LARGE_PARAMS))
            with pytest.raises(ConnectionLostError) as caught:
                await request
            gateway.refuse(Refusal.STARTING_HTTP)
    assert caught.value.close_code == 4000


async def test_client_cancelled_twice_leaves_nothing(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with stalled(gateway), within_a_second():
            task.cancel()
            await asyncio.sleep(0)
            await stop(task)
    assert client.state is S.CLOSED
    assert client.introspection.tasks == {}


async def test_abort_to_stalled_peer_ends_with_client(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    gateway.hold("agent")
    async with running(client) as task:
        await client.wait_connected()
        start = asyncio.create_task(client.start_run(RunRequest("Go", "agent:main:x")))
        await gateway.wait_for_request("agent")
        async with stalled(gateway), within_a_second():
            request = asyncio.create_task(client.request("health", LARGE_PARAMS))
            await asyncio.sleep(0)
            start.cancel()
            await asyncio.wait([start])
            assert "abort" in client.introspection.tasks.values()
            await stop(task)
            assert client.introspection.tasks == {}
            with pytest.raises(NotConnectedError):
                await request
    gateway.release("agent")


async def test_waiting_listeners_end_with_client(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    client.subscribe_state(wait_forever)
    client.subscribe("presence", wait_forever)
    client.subscribe("health", wait_forever)
    async with running(client) as task:
        await client.wait_connected()
        await client.request("health")
        await stop(task)
    assert client.introspection.tasks == {}


async def test_waiting_listeners_end_with_fetch_info(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    client.subscribe_state(wait_forever)
    await client.fetch_info()
    assert client.introspection.tasks == {}


async def test_calling_task_is_not_client_task(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await client.run()
    assert client.introspection.tasks == {}
