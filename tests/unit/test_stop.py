"""A client that is stopped, in whatever state, leaves nothing behind."""

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

from .clients import TIMING, client_of, running, stop

pytestmark = pytest.mark.parametrize("protocol", [4])  # both stop alike

S = ConnectionState
BIG = {"x": "y" * 10_000_000}


async def forever(_: object) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def deaf(gateway: GatewaySimulator) -> AsyncGenerator[None]:
    """Let the Gateway read nothing for a while; then it must find nobody there."""
    transports = [client.websocket.transport for client in gateway.open_connections]
    for transport in transports:
        transport.pause_reading()
    yield
    for transport in transports:
        transport.resume_reading()
    await gateway.wait_until(lambda: not gateway.open_connections)


@asynccontextmanager
async def in_time() -> AsyncGenerator[None]:
    """Let the body take less than a second."""
    async with asyncio.timeout(1):
        yield


async def test_a_request_to_a_peer_that_reads_nothing_keeps_its_deadline(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with deaf(gateway), in_time():
            with pytest.raises(RequestTimeoutError):
                await client.request("health", BIG, timeout=0.01)
            await stop(task)


async def test_a_run_that_a_peer_does_not_read_keeps_its_deadline(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, request_timeout=0.01))
    async with running(client) as task:
        await client.wait_connected()
        async with deaf(gateway), in_time():
            with pytest.raises(RequestTimeoutError):
                await client.start_run(RunRequest(BIG["x"], "agent:main:x"))
            assert client.introspection.runs == ()
            await stop(task)


async def test_a_client_whose_peer_reads_nothing_stops_in_time(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with deaf(gateway), in_time():
            request = asyncio.create_task(client.request("health", BIG))
            await asyncio.sleep(0)
            await stop(task)
            with pytest.raises(NotConnectedError):
                await request


async def test_a_client_whose_peer_is_silent_stops_in_time(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        gateway.mute()
        async with deaf(gateway), in_time():
            await stop(task)


async def test_a_silent_peer_that_reads_nothing_is_left(
    gateway: GatewaySimulator,
) -> None:
    gateway.policy["tickIntervalMs"] = 20
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.mute()
        async with deaf(gateway), in_time():
            request = asyncio.create_task(client.request("health", BIG))
            with pytest.raises(ConnectionLostError) as caught:
                await request
            gateway.refuse(Refusal.STARTING_HTTP)
    assert caught.value.close_code == 4000


async def test_a_client_that_is_cancelled_twice_leaves_nothing(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        async with deaf(gateway), in_time():
            task.cancel()
            await asyncio.sleep(0)
            await stop(task)
    assert client.state is S.CLOSED
    assert client.introspection.tasks == {}


async def test_an_abort_that_a_peer_does_not_read_ends_with_the_client(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    gateway.hold("agent")
    async with running(client) as task:
        await client.wait_connected()
        asked = asyncio.create_task(client.start_run(RunRequest("Go", "agent:main:x")))
        await gateway.wait_for_request("agent")
        async with deaf(gateway), in_time():
            request = asyncio.create_task(client.request("health", BIG))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.wait([asked])
            assert "abort" in client.introspection.tasks.values()
            await stop(task)
            assert client.introspection.tasks == {}
            with pytest.raises(NotConnectedError):
                await request
    gateway.release("agent")


async def test_listeners_that_wait_end_with_the_client(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    client.subscribe_state(forever)
    client.subscribe("presence", forever)
    client.subscribe("health", forever)
    async with running(client) as task:
        await client.wait_connected()
        await client.request("health")
        await stop(task)
    assert client.introspection.tasks == {}


async def test_listeners_that_wait_end_with_the_probe(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    client.subscribe_state(forever)
    await client.fetch_info()
    assert client.introspection.tasks == {}


async def test_a_task_that_goes_on_after_the_client_is_not_its_own(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await client.run()
    assert client.introspection.tasks == {}
