"""From each state, each cause leads where it must."""

import asyncio
from dataclasses import replace
from itertools import product

import pytest

from custom_components.clawd.gateway import ConnectionState, GatewayClient, Transition
from tests.simulator import GatewaySimulator, Refusal

from .clients import TIMING, changed, client_at, client_of, reached, running, stop
from .raw_server import silent_server

S = ConnectionState
CAUSES = ("drop", "restart", "refused", "auth", "mute", "stop", "resume")
MATRIX = {
    (S.CONNECTING, "drop"): (S.RECONNECTING, "HUNG_UP"),
    (S.CONNECTING, "mute"): (S.RECONNECTING, "TIMEOUT"),
    (S.CONNECTING, "refused"): (S.RECONNECTING, "HTTP_503"),
    (S.CONNECTING, "stop"): (S.CLOSED, "STOPPED"),
    (S.HANDSHAKING, "drop"): (S.RECONNECTING, "1006"),
    (S.HANDSHAKING, "restart"): (S.RECONNECTING, "HUNG_UP"),
    (S.HANDSHAKING, "refused"): (S.RECONNECTING, "UNAVAILABLE"),
    (S.HANDSHAKING, "auth"): (S.PAUSED, "AUTH_TOKEN_MISMATCH"),
    (S.HANDSHAKING, "mute"): (S.RECONNECTING, "TIMEOUT"),
    (S.HANDSHAKING, "stop"): (S.CLOSED, "STOPPED"),
    (S.CONNECTED, "drop"): (S.RECONNECTING, "1006"),
    (S.CONNECTED, "restart"): (S.RECONNECTING, "1012"),
    (S.CONNECTED, "mute"): (S.RECONNECTING, "4000"),
    (S.CONNECTED, "stop"): (S.CLOSED, "STOPPED"),
    (S.RECONNECTING, "resume"): (S.CONNECTING, ""),
    (S.RECONNECTING, "stop"): (S.CLOSED, "STOPPED"),
    (S.PAUSED, "resume"): (S.CONNECTING, ""),
    (S.PAUSED, "stop"): (S.CLOSED, "STOPPED"),
}
NOTHING_TO_MEET = {  # no connection to lose, or no retry to hasten
    *product((S.CONNECTING,), ("restart", "auth", "resume")),
    *product((S.HANDSHAKING,), ("resume",)),
    *product((S.CONNECTED,), ("refused", "auth", "resume")),
    *product((S.RECONNECTING, S.PAUSED), set(CAUSES) - {"stop", "resume"}),
}
REFUSALS = {
    "drop": Refusal.DROP_BEFORE_HELLO,
    "restart": Refusal.STARTING_CLOSE,
    "refused": Refusal.STARTING,
    "auth": Refusal.TOKEN_MISMATCH,
}
PATIENT = replace(TIMING, first_delay=60, longest_delay=60)
HASTY = replace(TIMING, connect=0.02)


def test_each_state_meets_each_cause() -> None:
    states = set(S) - {S.CLOSED}
    assert MATRIX.keys() | NOTHING_TO_MEET == set(product(states, CAUSES))
    assert not MATRIX.keys() & NOTHING_TO_MEET


async def next_change(client: GatewayClient, state: S) -> Transition:
    """Wait until the client has left the state, and return how."""
    while client.state is state:
        await changed(client)
    return next(c for c in client.transitions if c.previous is state is not c.state)


@pytest.mark.parametrize("cause", ["drop", "mute", "stop"])
async def test_leaving_connecting(cause: str) -> None:
    async with silent_server() as server:
        client = client_at(server.port, HASTY if cause == "mute" else PATIENT)
        async with running(client) as task:
            await server.arrived.wait()
            assert client.state is S.CONNECTING
            if cause == "drop":
                server.leave.set()
            if cause == "stop":
                await stop(task)
            check(await next_change(client, S.CONNECTING), cause)


async def test_leaving_connecting_when_refused(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING_HTTP)
    client = client_of(gateway, PATIENT)
    async with running(client):
        check(await next_change(client, S.CONNECTING), "refused")


@pytest.mark.parametrize(
    "cause", ["drop", "restart", "refused", "auth", "mute", "stop"]
)
async def test_leaving_handshaking(gateway: GatewaySimulator, cause: str) -> None:
    gateway.refuse(REFUSALS.get(cause))
    gateway.hold("connect")
    client = client_of(gateway, HASTY if cause == "mute" else PATIENT)
    async with running(client) as task:
        await reached(client, S.HANDSHAKING)
        if cause == "stop":
            await stop(task)
        if cause in REFUSALS:
            gateway.release("connect")
        check(await next_change(client, S.HANDSHAKING), cause)
    if cause not in REFUSALS:
        gateway.release("connect")


@pytest.mark.parametrize("cause", ["drop", "restart", "mute", "stop"])
async def test_leaving_connected(gateway: GatewaySimulator, cause: str) -> None:
    if cause == "mute":
        gateway.policy["tickIntervalMs"] = 10
    client = client_of(gateway, PATIENT)
    async with running(client) as task:
        await client.wait_connected()
        match cause:
            case "drop":
                gateway.drop()
            case "restart":
                await gateway.restart()
            case "mute":
                gateway.mute()
            case "stop":
                await stop(task)
        check(await next_change(client, S.CONNECTED), cause)
        assert (client.hello, client.pending, client.runs) == (None, (), ())


@pytest.mark.parametrize(
    ("state", "refusal"),
    [(S.RECONNECTING, Refusal.STARTING_HTTP), (S.PAUSED, Refusal.TOKEN_MISMATCH)],
)
@pytest.mark.parametrize("cause", ["resume", "stop"])
async def test_leaving_a_wait(
    gateway: GatewaySimulator, state: S, refusal: Refusal, cause: str
) -> None:
    gateway.refuse(refusal, times=1)
    client = client_of(gateway, PATIENT)
    async with running(client) as task:
        await reached(client, state)
        if cause == "resume":
            client.resume()
        else:
            await stop(task)
        check(await next_change(client, state), cause)
        if cause == "resume":
            await client.wait_connected()


@pytest.mark.parametrize("state", [S.HANDSHAKING, S.CONNECTED])
async def test_there_is_nothing_to_resume(gateway: GatewaySimulator, state: S) -> None:
    gateway.hold("connect")
    client = client_of(gateway, PATIENT)
    async with running(client):
        await reached(client, S.HANDSHAKING)
        if state is S.CONNECTED:
            gateway.release("connect")
            await client.wait_connected()
        client.resume()
        await asyncio.sleep(0)
        assert client.state is state
        gateway.drop()
        await reached(client, S.RECONNECTING)
        await asyncio.sleep(0)
        assert client.state is S.RECONNECTING
    if state is S.HANDSHAKING:
        gateway.release("connect")


def check(change: Transition, cause: str) -> None:
    """Compare a change with the matrix."""
    code = change.error.code if change.error else ""
    assert (change.state, code) == MATRIX[change.previous, cause]
