"""Reconnection after connection loss."""

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
from tests.unit.clients import TIMING, client_of, running, wait_for_state
from tests.unit.clock import Clock

S = ConnectionState
SHORT_DELAY = replace(TIMING, initial_delay=0.0001, max_delay=60)
LONG_DELAY = replace(TIMING, initial_delay=60, max_delay=60)


def delays(client: GatewayClient) -> list[float]:
    return [c.delay for c in client.introspection.transitions if c.delay is not None]


async def test_client_reconnects_after_drop(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        for _ in range(3):
            await client.wait_connected()
            gateway.drop()
            await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        assert await client.request("health")
    assert (client.statistics.connects, client.statistics.drops) == (4, 3)


async def test_listeners_survive_reconnect(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    received: list[object] = []
    client.subscribe("note", received.append)
    gateway.after("health", ("note", {}))
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert len(received) == 1


@pytest.mark.parametrize("protocol", [3])
async def test_restart_delay_is_obeyed(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await gateway.restart()
        await wait_for_state(client, S.RECONNECTING)
        change = client.introspection.transitions[-1]
    assert isinstance(change.error, ConnectionLostError)
    assert (change.error.close_code, change.delay) == (1012, 1.5)


@pytest.mark.parametrize("notice", [{}, {"restartExpectedMs": "soon"}])
async def test_shutdown_without_delay_uses_backoff(
    gateway: GatewaySimulator, notice: dict[str, str]
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.before("health", ("shutdown", notice))
        await client.request("health")
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        change = client.introspection.transitions[-1]
    assert change.delay is not None
    assert change.delay <= TIMING.initial_delay


async def test_starting_gateway_is_retried(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING_HTTP, times=3)
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
    assert len(delays(client)) == 3
    for attempt, delay in enumerate(delays(client)):
        assert 0 <= delay <= min(TIMING.initial_delay * 2**attempt, TIMING.max_delay)


async def test_unreachable_gateway_is_retried(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await gateway.suspend()
        await wait_for_state(client, S.RECONNECTING)
        await wait_for_state(client, S.CONNECTING)
        await gateway.resume()
        await client.wait_connected()


async def test_unstable_connection_backs_off(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, SHORT_DELAY)
    async with running(client):
        for _ in range(10):
            await client.wait_connected()
            gateway.drop()
            await wait_for_state(client, S.RECONNECTING)
    assert max(delays(client)) > SHORT_DELAY.initial_delay


async def test_stable_connection_resets_backoff(
    gateway: GatewaySimulator,
) -> None:
    gateway.policy["tickIntervalMs"] = 1
    client = client_of(gateway, SHORT_DELAY)
    async with running(client):
        for _ in range(10):
            await client.wait_connected()
            await wait_for_state(client, S.RECONNECTING)
    assert max(delays(client)) <= SHORT_DELAY.initial_delay


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Refusal.TOKEN_MISMATCH, InvalidTokenError),
        (Refusal.TOKEN_MISSING, InvalidTokenError),
        (Refusal.PAIRING, PairingRequiredError),
        (Refusal.PROTOCOL, UnsupportedProtocolError),
    ],
)
async def test_refusal_that_needs_user_action_is_not_retried(
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


async def test_client_connects_after_approval(gateway: GatewaySimulator) -> None:
    gateway.pairing = True
    client = client_of(gateway)
    async with running(client):
        with pytest.raises(PairingRequiredError) as caught:
            await client.wait_connected()
        assert caught.value.request_id
        gateway.approve(caught.value.request_id)
        client.resume()
        await wait_for_state(client, S.CONNECTED)


@pytest.mark.parametrize("protocol", [4])
async def test_rate_limit_pauses_client(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.RATE_LIMITED)
    client = client_of(gateway)
    async with running(client):
        await wait_for_state(client, S.PAUSED)
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
async def test_wait_connected_without_retry_raises_first_error(
    gateway: GatewaySimulator, refusal: Refusal, kind: type[GatewayError]
) -> None:
    gateway.refuse(refusal)
    client = client_of(gateway, LONG_DELAY)
    async with running(client):
        with pytest.raises(kind):
            await client.wait_connected(retry=False)


async def test_resume_does_not_lengthen_delays(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, initial_delay=60, max_delay=600))
    async with running(client):
        for _ in range(5):
            await client.wait_connected()
            gateway.drop()
            await wait_for_state(client, S.RECONNECTING)
            client.resume()
        await client.wait_connected()
    assert max(delays(client)) <= 60


async def test_wake_resets_backoff(gateway: GatewaySimulator) -> None:
    clock = Clock()
    timing = replace(
        TIMING, initial_delay=6e3, max_delay=6e5, sleep_check_interval=0.001
    )
    client = client_of(gateway, timing, clock.detector)
    async with running(client):
        for _ in range(7):
            await client.wait_connected()
            gateway.drop()
            await wait_for_state(client, S.RECONNECTING)
            clock.wall += 3600
        await client.wait_connected()
    assert max(delays(client)) <= timing.initial_delay


async def test_frames_keep_connection_alive() -> None:
    async with GatewaySimulator(policy={"tickIntervalMs": 100}) as gateway:
        client = client_of(gateway)
        loop = asyncio.get_running_loop()
        async with running(client):
            await client.wait_connected()
            end = loop.time() + 0.3
            while loop.time() < end:
                await client.request("health")
    assert client.statistics.drops == 0


async def test_ended_connection_is_garbage_collected(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        for _ in range(3):
            await client.wait_connected()
            gateway.drop()
            await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        gc.collect()
        alive = [item for item in gc.get_objects() if isinstance(item, Connection)]
        assert len(alive) == 1
        del alive
