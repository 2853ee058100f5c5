"""A client that lost its Gateway comes back, without a storm."""

import asyncio
from dataclasses import replace
import gc

import pytest

from custom_components.clawd.gateway import (
    CannotConnectError,
    ConnectionLostError,
    ConnectionState,
    GatewayClient,
    GatewayError,
    InvalidTokenError,
    NotAGatewayError,
    PairingRequiredError,
    PauseReason,
    RateLimitedError,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.protocol.connection import Connection
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import TIMING, client_of, reached, running
from tests.unit.clock import Clock

S = ConnectionState
QUICK = replace(TIMING, initial_delay=0.0001, max_delay=60)
PATIENT = replace(TIMING, initial_delay=60, max_delay=60)


def delays(client: GatewayClient) -> list[float]:
    return [c.delay for c in client.introspection.transitions if c.delay is not None]


async def test_a_dropped_client_comes_back(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        for _ in range(3):
            await client.wait_connected()
            gateway.drop()
            await reached(client, S.RECONNECTING)
        await client.wait_connected()
        assert await client.request("health")
    assert (client.statistics.connects, client.statistics.drops) == (4, 3)


async def test_listeners_outlive_the_connection(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[object] = []
    client.subscribe("note", heard.append)
    gateway.after("health", ("note", {}))
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        await reached(client, S.RECONNECTING)
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert len(heard) == 1


@pytest.mark.parametrize("protocol", [3])
async def test_a_restart_is_given_the_time_that_it_asks_for(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await gateway.restart()
        await reached(client, S.RECONNECTING)
        change = client.introspection.transitions[-1]
    assert isinstance(change.error, ConnectionLostError)
    assert (change.error.close_code, change.delay) == (1012, 1.5)


@pytest.mark.parametrize("notice", [{}, {"restartExpectedMs": "soon"}])
async def test_a_shutdown_without_a_time_waits_as_ever(
    gateway: GatewaySimulator, notice: dict[str, str]
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.before("health", ("shutdown", notice))
        await client.request("health")
        gateway.drop()
        await reached(client, S.RECONNECTING)
        change = client.introspection.transitions[-1]
    assert change.delay is not None
    assert change.delay <= TIMING.initial_delay


async def test_a_gateway_that_starts_is_waited_for(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING_HTTP, times=3)
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
    assert len(delays(client)) == 3
    for attempt, delay in enumerate(delays(client)):
        assert 0 <= delay <= min(TIMING.initial_delay * 2**attempt, TIMING.max_delay)


async def test_a_gateway_that_went_away_is_waited_for(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await gateway.suspend()
        await reached(client, S.RECONNECTING)
        await reached(client, S.CONNECTING)
        await gateway.resume()
        await client.wait_connected()


async def test_a_link_that_does_not_last_makes_no_storm(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, QUICK)
    async with running(client):
        for _ in range(10):
            await client.wait_connected()
            gateway.drop()
            await reached(client, S.RECONNECTING)
    assert max(delays(client)) > QUICK.initial_delay


async def test_a_link_that_lasts_starts_the_delays_over(
    gateway: GatewaySimulator,
) -> None:
    gateway.policy["tickIntervalMs"] = 1
    client = client_of(gateway, QUICK)
    async with running(client):
        for _ in range(10):
            await client.wait_connected()
            await reached(client, S.RECONNECTING)
    assert max(delays(client)) <= QUICK.initial_delay


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal.TOKEN_MISMATCH, InvalidTokenError),
        (Refusal.TOKEN_MISSING, InvalidTokenError),
        (Refusal.PAIRING, PairingRequiredError),
        (Refusal.PROTOCOL, UnsupportedProtocolError),
    ],
)
async def test_who_must_be_let_in_by_a_person_does_not_try_again(
    gateway: GatewaySimulator, refusal: Refusal, kind: type[GatewayError]
) -> None:
    gateway.refuse(refusal)
    client = client_of(gateway)
    async with running(client):
        with pytest.raises(kind):
            await client.wait_connected()
        for _ in range(10):
            await asyncio.sleep(0)
        assert (client.state, gateway.attempts) == (S.PAUSED, 1)
        with pytest.raises(kind):
            await client.wait_connected()


async def test_who_was_let_in_goes_on(gateway: GatewaySimulator) -> None:
    gateway.pairing = True
    client = client_of(gateway)
    async with running(client):
        with pytest.raises(PairingRequiredError) as caught:
            await client.wait_connected()
        assert caught.value.request_id
        gateway.approve(caught.value.request_id)
        client.resume()
        await reached(client, S.CONNECTED)


@pytest.mark.parametrize("protocol", [4])
async def test_a_rate_limit_is_waited_out(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.RATE_LIMITED)
    client = client_of(gateway)
    async with running(client):
        await reached(client, S.PAUSED)
        change = client.introspection.transitions[-1]
        assert isinstance(change.error, RateLimitedError)
        assert (change.pause, change.delay) == (PauseReason.RATE_LIMIT, 60)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal.STARTING_HTTP, CannotConnectError),
        (Refusal.NOT_A_GATEWAY, NotAGatewayError),
        (Refusal.STARTING_CLOSE, CannotConnectError),
        (Refusal.DROP_BEFORE_HELLO, ConnectionLostError),
    ],
)
async def test_who_is_not_patient_hears_of_the_first_failure(
    gateway: GatewaySimulator, refusal: Refusal, kind: type[GatewayError]
) -> None:
    gateway.refuse(refusal)
    client = client_of(gateway, PATIENT)
    async with running(client):
        with pytest.raises(kind):
            await client.wait_connected(retry=False)


async def test_who_resumes_does_not_lengthen_the_delays(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, initial_delay=60, max_delay=600))
    async with running(client):
        for _ in range(5):
            await client.wait_connected()
            gateway.drop()
            await reached(client, S.RECONNECTING)
            client.resume()
        await client.wait_connected()
    assert max(delays(client)) <= 60


async def test_who_wakes_starts_the_delays_over(gateway: GatewaySimulator) -> None:
    clock = Clock()
    timing = replace(
        TIMING, initial_delay=6e3, max_delay=6e5, sleep_check_interval=0.001
    )
    client = client_of(gateway, timing, clock.watch)
    async with running(client):
        for _ in range(7):
            await client.wait_connected()
            gateway.drop()
            await reached(client, S.RECONNECTING)
            clock.wall += 3600
        await client.wait_connected()
    assert max(delays(client)) <= timing.initial_delay


async def test_frames_keep_a_connection_from_being_silent() -> None:
    async with GatewaySimulator(policy={"tickIntervalMs": 100}) as gateway:
        client = client_of(gateway)
        loop = asyncio.get_running_loop()
        async with running(client):
            await client.wait_connected()
            end = loop.time() + 0.3
            while loop.time() < end:
                await client.request("health")
    assert client.statistics.drops == 0


async def test_a_connection_that_ended_is_let_go(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        for _ in range(3):
            await client.wait_connected()
            gateway.drop()
            await reached(client, S.RECONNECTING)
        await client.wait_connected()
        gc.collect()
        alive = [item for item in gc.get_objects() if isinstance(item, Connection)]
        assert len(alive) == 1
        del alive
