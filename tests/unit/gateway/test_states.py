"""Matrix of states, events and causes."""

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
    client_at,
    client_of,
    running,
    stop,
    wait_for_state,
    wait_for_transition,
)
from tests.unit.clock import Clock
from tests.unit.raw_server import silent_server

S = ConnectionState
EVENTS = ("drop", "restart", "refused", "auth", "mute", "stop", "resume", "due", "wake")
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
NOT_APPLICABLE = {  # no connection to lose, or no wait to end
    *product((S.CONNECTING,), ("restart", "resume", "due", "wake")),
    *product((S.HANDSHAKING,), ("resume", "due", "wake")),
    *product((S.CONNECTED,), ("refused", "auth", "resume", "due")),
    *product(
        (S.RECONNECTING, S.PAUSED), ("drop", "restart", "refused", "auth", "mute")
    ),
}
OTHER_TRANSITIONS = {
    (S.CLOSED, Cause.STARTED),
    (S.CLOSED, Cause.STOPPED),
    (S.CONNECTING, Cause.OPENED),
    (S.HANDSHAKING, Cause.HELLO),
    (S.HANDSHAKING, Cause.FALLEN_BACK),
    (S.CONNECTED, Cause.LIMITED),
    # A fault of the client, see test_main_loop.py.
    *product(set(S) - {S.CLOSED}, (Cause.UNEXPECTED,)),
}
REFUSALS = {
    "drop": Refusal.DROP_BEFORE_HELLO,
    "restart": Refusal.STARTING_CLOSE,
    "refused": Refusal.STARTING,
    "auth": Refusal.TOKEN_MISMATCH,
}
LONG_DELAY = replace(TIMING, initial_delay=60, max_delay=60)
SHORT_TIMEOUT = replace(TIMING, connect_timeout=0.02)
SLEEP_CHECKS = replace(LONG_DELAY, sleep_check_interval=0.001, ping_timeout=0.01)


def test_matrix_covers_every_state_and_event() -> None:
    states = set(S) - {S.CLOSED}
    assert MATRIX.keys() | NOT_APPLICABLE == set(product(states, EVENTS))
    assert not MATRIX.keys() & NOT_APPLICABLE


def test_matrix_covers_every_transition() -> None:
    table = {(state, cause) for state, row in TRANSITIONS.items() for cause in row}
    covered = {(state, cause) for (state, _), (cause, _) in MATRIX.items()}
    assert covered | OTHER_TRANSITIONS == table


async def transition_from(client: GatewayClient, state: S) -> Transition:
    """Return the first transition out of a state."""
    while not (
        left := [c for c in client.introspection.transitions if c.previous is state]
    ):
        await wait_for_transition(client)
    return left[0]


@pytest.mark.parametrize("cause", ["drop", "mute", "stop"])
async def test_transitions_from_connecting(cause: str) -> None:
    async with silent_server() as server:
        client = client_at(
            server.port, SHORT_TIMEOUT if cause == "mute" else LONG_DELAY
        )
        async with running(client) as task:
            if cause != "mute":  # on a busy machine, the state may be left already
                await server.accepted.wait()
                assert client.state is S.CONNECTING
            if cause == "drop":
                server.release.set()
            if cause == "stop":
                await stop(task)
            assert_in_matrix(await transition_from(client, S.CONNECTING), cause)


async def test_refused_upgrade_while_connecting(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.STARTING_HTTP)
    client = client_of(gateway, LONG_DELAY)
    async with running(client):
        assert_in_matrix(await transition_from(client, S.CONNECTING), "refused")


async def test_insecure_endpoint_while_connecting() -> None:
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0.1.0"))
    client = GatewayClient(Endpoint("8.8.8.8", 1), credentials, timing=LONG_DELAY)
    async with running(client):
        assert_in_matrix(await transition_from(client, S.CONNECTING), "auth")


@pytest.mark.parametrize(
    "cause", ["drop", "restart", "refused", "auth", "mute", "stop"]
)
async def test_transitions_from_handshaking(
    gateway: GatewaySimulator, cause: str
) -> None:
    gateway.refuse(REFUSALS.get(cause))
    gateway.hold("connect")
    client = client_of(gateway, SHORT_TIMEOUT if cause == "mute" else LONG_DELAY)
    async with running(client) as task:
        await wait_for_state(client, S.HANDSHAKING)
        if cause == "stop":
            await stop(task)
        if cause in REFUSALS:
            gateway.release("connect")
        assert_in_matrix(await transition_from(client, S.HANDSHAKING), cause)
    if cause not in REFUSALS:
        gateway.release("connect")


@pytest.mark.parametrize("cause", ["drop", "restart", "mute", "wake", "stop"])
async def test_transitions_from_connected(
    gateway: GatewaySimulator, cause: str
) -> None:
    if cause == "mute":
        gateway.policy["tickIntervalMs"] = 10
    clock = Clock()
    client = client_of(gateway, SLEEP_CHECKS, clock.detector)
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
        assert_in_matrix(await transition_from(client, S.CONNECTED), cause)
        assert (
            client.hello,
            client.introspection.pending,
            client.introspection.runs,
        ) == (None, (), ())


async def test_connection_survives_sleep(
    gateway: GatewaySimulator,
) -> None:
    polled = asyncio.Event()
    clock = Clock()

    class Detector(SleepDetector):
        """Detector that signals a poll after the wake."""

        def poll(self) -> bool:
            """Poll, and signal if the sleep was already reported."""
            slept = super().poll()
            if not slept and clock.wall:
                polled.set()
            return slept

    detector = Detector(lambda: clock.wall, lambda: 0.0)
    client = client_of(
        gateway, replace(SLEEP_CHECKS, sleep_check_interval=0.001), detector
    )
    async with running(client):
        await client.wait_connected()
        clock.wall += 3600
        await polled.wait()
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
    timing = (
        replace(SLEEP_CHECKS, initial_delay=0.01) if cause == "due" else SLEEP_CHECKS
    )
    client = client_of(gateway, timing, clock.detector)
    async with running(client) as task:
        await wait_for_state(client, state)
        match cause:
            case "resume":
                client.resume()
            case "wake":
                clock.wall += 3600
            case "stop":
                await stop(task)
        assert_in_matrix(await transition_from(client, state), cause)
        if cause != "stop":
            await client.wait_connected()


@pytest.mark.parametrize("state", [S.HANDSHAKING, S.CONNECTED])
async def test_resume_without_wait_does_nothing(
    gateway: GatewaySimulator, state: S
) -> None:
    gateway.hold("connect")
    client = client_of(gateway, LONG_DELAY)
    async with running(client):
        await wait_for_state(client, S.HANDSHAKING)
        if state is S.CONNECTED:
            gateway.release("connect")
            await client.wait_connected()
        client.resume()
        await asyncio.sleep(0)
        assert client.state is state
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await asyncio.sleep(0)
        assert client.state is S.RECONNECTING
    if state is S.HANDSHAKING:
        gateway.release("connect")


def assert_in_matrix(change: Transition, cause: str) -> None:
    """Compare a transition with the matrix."""
    code = change.error.code if change.error else ""
    assert (change.cause, code) == MATRIX[change.previous, cause]
