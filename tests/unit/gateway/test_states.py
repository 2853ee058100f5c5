"""From each state, each cause leads where it must."""

import asyncio
from dataclasses import replace
from itertools import product

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    SleepDetector,
    Transition,
)
from custom_components.clawd.gateway.state import TRANSITIONS
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import (
    TIMING,
    changed,
    client_at,
    client_of,
    reached,
    running,
    stop,
)
from tests.unit.clock import Clock
from tests.unit.raw_server import silent_server

S = ConnectionState
EVENTS = (
    *("drop", "restart", "refused", "auth", "mute", "stop"),
    *("resume", "due", "wake"),
)
MATRIX = {
    (S.CONNECTING, "drop"): (Cause.FAILED, "HUNG_UP"),
    (S.CONNECTING, "mute"): (Cause.FAILED, "TIMEOUT"),
    (S.CONNECTING, "refused"): (Cause.FAILED, "HTTP_503"),
    (S.CONNECTING, "auth"): (Cause.REFUSED, "INSECURE_TRANSPORT"),
    (S.CONNECTING, "stop"): (Cause.STOPPED, "STOPPED"),
    (S.HANDSHAKING, "drop"): (Cause.FAILED, "1006"),
    (S.HANDSHAKING, "restart"): (Cause.FAILED, "HUNG_UP"),
    (S.HANDSHAKING, "refused"): (Cause.FAILED, "UNAVAILABLE"),
    (S.HANDSHAKING, "auth"): (Cause.REFUSED, "AUTH_TOKEN_MISMATCH"),
    (S.HANDSHAKING, "mute"): (Cause.FAILED, "TIMEOUT"),
    (S.HANDSHAKING, "stop"): (Cause.STOPPED, "STOPPED"),
    (S.CONNECTED, "drop"): (Cause.LOST, "1006"),
    (S.CONNECTED, "restart"): (Cause.LOST, "1012"),
    (S.CONNECTED, "mute"): (Cause.LOST, "4000"),
    (S.CONNECTED, "wake"): (Cause.LOST, "4000"),
    (S.CONNECTED, "stop"): (Cause.STOPPED, "STOPPED"),
    (S.RECONNECTING, "resume"): (Cause.RESUMED, ""),
    (S.RECONNECTING, "due"): (Cause.RETRY, ""),
    (S.RECONNECTING, "wake"): (Cause.WOKEN, ""),
    (S.RECONNECTING, "stop"): (Cause.STOPPED, "STOPPED"),
    (S.PAUSED, "resume"): (Cause.RESUMED, ""),
    (S.PAUSED, "due"): (Cause.RETRY, ""),
    (S.PAUSED, "wake"): (Cause.WOKEN, ""),
    (S.PAUSED, "stop"): (Cause.STOPPED, "STOPPED"),
}
NOTHING_TO_MEET = {  # no connection to lose, or no wait to end
    *product((S.CONNECTING,), ("restart", "resume", "due", "wake")),
    *product((S.HANDSHAKING,), ("resume", "due", "wake")),
    *product((S.CONNECTED,), ("refused", "auth", "resume", "due")),
    *product(
        (S.RECONNECTING, S.PAUSED), ("drop", "restart", "refused", "auth", "mute")
    ),
}
AHEAD = {
    (S.CLOSED, Cause.STARTED),
    (S.CLOSED, Cause.STOPPED),
    (S.CONNECTING, Cause.OPENED),
    (S.HANDSHAKING, Cause.HELLO),
    (S.HANDSHAKING, Cause.FALLEN_BACK),
}
REFUSALS = {
    "drop": Refusal.DROP_BEFORE_HELLO,
    "restart": Refusal.STARTING_CLOSE,
    "refused": Refusal.STARTING,
    "auth": Refusal.TOKEN_MISMATCH,
}
PATIENT = replace(TIMING, initial_delay=60, max_delay=60)
HASTY = replace(TIMING, connect_timeout=0.02)
DROWSY = replace(PATIENT, sleep_check_interval=0.001, ping_timeout=0.01)


def test_matrix_covers_every_state_and_event() -> None:
    states = set(S) - {S.CLOSED}
    assert MATRIX.keys() | NOTHING_TO_MEET == set(product(states, EVENTS))
    assert not MATRIX.keys() & NOTHING_TO_MEET


def test_matrix_covers_every_transition() -> None:
    table = {(state, cause) for state, row in TRANSITIONS.items() for cause in row}
    met = {(state, cause) for (state, _), (cause, _) in MATRIX.items()}
    assert met | AHEAD == table


async def next_change(client: GatewayClient, state: S) -> Transition:
    """Wait until the client has left the state, and return how."""
    while not (
        left := [c for c in client.introspection.transitions if c.previous is state]
    ):
        await changed(client)
    return left[0]


@pytest.mark.parametrize("cause", ["drop", "mute", "stop"])
async def test_transitions_from_connecting(cause: str) -> None:
    async with silent_server() as server:
        client = client_at(server.port, HASTY if cause == "mute" else PATIENT)
        async with running(client) as task:
            if cause != "mute":  # or it may have left already, on a busy machine
                await server.arrived.wait()
                assert client.state is S.CONNECTING
            if cause == "drop":
                server.leave.set()
            if cause == "stop":
                await stop(task)
            check(await next_change(client, S.CONNECTING), cause)


async def test_refused_upgrade_while_connecting(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING_HTTP)
    client = client_of(gateway, PATIENT)
    async with running(client):
        check(await next_change(client, S.CONNECTING), "refused")


async def test_insecure_endpoint_while_connecting() -> None:
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"))
    client = GatewayClient(Endpoint("8.8.8.8", 1), credentials, timing=PATIENT)
    async with running(client):
        check(await next_change(client, S.CONNECTING), "auth")


@pytest.mark.parametrize(
    "cause", ["drop", "restart", "refused", "auth", "mute", "stop"]
)
async def test_transitions_from_handshaking(
    gateway: GatewaySimulator, cause: str
) -> None:
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


@pytest.mark.parametrize("cause", ["drop", "restart", "mute", "wake", "stop"])
async def test_transitions_from_connected(
    gateway: GatewaySimulator, cause: str
) -> None:
    if cause == "mute":
        gateway.policy["tickIntervalMs"] = 10
    clock = Clock()
    client = client_of(gateway, DROWSY, clock.watch)
    async with running(client) as task:
        await client.wait_connected()
        match cause:
            case "drop":
                gateway.drop()
            case "restart":
                await gateway.restart()
            case "mute":
                gateway.mute()
            case "wake":
                gateway.stall()
                clock.wall += 3600
            case "stop":
                await stop(task)
        check(await next_change(client, S.CONNECTED), cause)
        assert (
            client.hello,
            client.introspection.pending,
            client.introspection.runs,
        ) == (None, (), ())


async def test_connection_survives_sleep(
    gateway: GatewaySimulator,
) -> None:
    seen = asyncio.Event()
    clock = Clock()

    class Detector(SleepDetector):
        """Detector that tells when the connection outlived a jump."""

        def poll(self) -> bool:
            """Say so once."""
            slept = super().poll()
            if not slept and clock.wall:
                seen.set()
            return slept

    detector = Detector(lambda: clock.wall, lambda: 0.0)
    client = client_of(gateway, replace(DROWSY, sleep_check_interval=0.001), detector)
    async with running(client):
        await client.wait_connected()
        clock.wall += 3600
        await seen.wait()
        assert client.state is S.CONNECTED
        assert client.statistics.connects == 1


@pytest.mark.parametrize(
    ("state", "refusal"),
    [(S.RECONNECTING, Refusal.STARTING_HTTP), (S.PAUSED, Refusal.RATE_LIMITED)],
)
@pytest.mark.parametrize("cause", ["resume", "due", "wake", "stop"])
@pytest.mark.parametrize("protocol", [4])
async def test_transitions_from_reconnecting_and_paused(
    gateway: GatewaySimulator, state: S, refusal: Refusal, cause: str
) -> None:
    gateway.refuse(refusal, times=1)
    if cause == "due":
        gateway.edit("refusal", lambda error: error.update(retryAfterMs=1))
    clock = Clock()
    timing = replace(DROWSY, initial_delay=0.01) if cause == "due" else DROWSY
    client = client_of(gateway, timing, clock.watch)
    async with running(client) as task:
        await reached(client, state)
        match cause:
            case "resume":
                client.resume()
            case "wake":
                clock.wall += 3600
            case "stop":
                await stop(task)
        check(await next_change(client, state), cause)
        if cause != "stop":
            await client.wait_connected()


@pytest.mark.parametrize("state", [S.HANDSHAKING, S.CONNECTED])
async def test_resume_without_wait_does_nothing(
    gateway: GatewaySimulator, state: S
) -> None:
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
    assert (change.cause, code) == MATRIX[change.previous, cause]
