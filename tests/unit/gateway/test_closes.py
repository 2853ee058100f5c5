"""Closes of connections: side, reason and code."""

import asyncio
from dataclasses import replace
import time

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode

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
from custom_components.clawd.gateway.protocol.transport import MAX_CLOSE_REASON
from tests.simulator import GatewaySimulator, Refusal
from tests.unit.clients import TIMING, client_of, connected, running, wait_for_state
from tests.unit.clock import Clock

S = ConnectionState
PATIENT = replace(TIMING, initial_delay=60, max_delay=60)
DROWSY = replace(PATIENT, sleep_check_interval=0.001, ping_timeout=0.01)


def lost(client: GatewayClient) -> Transition:
    [change] = [c for c in client.introspection.transitions if c.cause is Cause.LOST]
    return change


def socket_of(gateway: GatewaySimulator) -> ServerConnection:
    [connection] = gateway.open_connections
    return connection.websocket


async def closed_with(
    gateway: GatewaySimulator, code: int, reason: str
) -> tuple[GatewayClient, Transition]:
    client = client_of(gateway, PATIENT)
    async with running(client):
        await client.wait_connected()
        await socket_of(gateway).close(code, reason)
        await wait_for_state(client, S.RECONNECTING)
    return client, lost(client)


async def test_a_close_of_the_gateway_is_its_own(gateway: GatewaySimulator) -> None:
    client, change = await closed_with(gateway, 1008, "slow consumer")
    assert (change.closed_by, change.close_reason) == ("peer", "slow consumer")
    assert client.statistics.closes == {("peer", 1008): 1}
    last = client.statistics.trace[-1]
    assert (last.direction, last.kind, last.name) == ("in", "close", "1008")


async def test_a_reason_is_kept_as_it_can_be_shown(gateway: GatewaySimulator) -> None:
    _, change = await closed_with(gateway, 1000, " a\x00b\n\u202ec ")
    assert change.close_reason == "a b  c"
    assert len("ü" * 61) * 2 == MAX_CLOSE_REASON - 1
    _, change = await closed_with(gateway, 1000, "ü" * 61)
    assert change.close_reason == "ü" * 61


async def test_a_reason_with_a_secret_is_not_kept(gateway: GatewaySimulator) -> None:
    _, change = await closed_with(gateway, 1008, f"bad token {gateway.token}")
    assert (change.closed_by, change.close_reason) == ("peer", "")


async def test_a_cut_line_is_closed_by_nobody(gateway: GatewaySimulator) -> None:
    client = client_of(gateway, PATIENT)
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
    change = lost(client)
    assert (change.closed_by, change.close_reason) == (None, "")
    assert client.statistics.closes == {("nobody", 1006): 1}


@pytest.mark.parametrize(
    ("code", "kept", "reason"),
    [(None, 1006, ""), (1012, 1012, "interrupted by a drill")],
)
async def test_a_drill_is_told_from_a_loss(
    gateway: GatewaySimulator, code: int | None, kept: int, reason: str
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await client.interrupt(code)
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
        gateway.drop()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
    drill, real = [c for c in client.introspection.transitions if c.cause is Cause.LOST]
    assert (drill.drill, drill.closed_by, drill.close_reason) == (True, "us", reason)
    assert (real.drill, real.closed_by) == (False, None)
    assert client.statistics.closes == {("us", kept): 1, ("nobody", 1006): 1}
    assert (client.statistics.drops, client.statistics.drill_drops) == (2, 1)
    kinds = [entry.kind for entry in client.statistics.trace]
    assert kinds.count("drill") == 1
    assert kinds.count("close") == 2
    marked = [c.cause for c in client.introspection.transitions if c.drill]
    assert marked == [Cause.LOST, Cause.RETRY, Cause.OPENED, Cause.HELLO]


async def test_an_attempt_that_fails_is_no_longer_the_drills(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.refuse(Refusal.STARTING_HTTP, times=1)
        await client.interrupt()
        await wait_for_state(client, S.RECONNECTING)
        await client.wait_connected()
    marked = [c.drill for c in client.introspection.transitions]
    causes = [c.cause for c in client.introspection.transitions]
    assert causes[3:5] == [Cause.LOST, Cause.RETRY]
    assert marked == [False] * 3 + [True] * 2 + [False] * (len(marked) - 5)


async def test_silence_is_closed_by_us(gateway: GatewaySimulator) -> None:
    gateway.policy["tickIntervalMs"] = 10
    client = client_of(gateway, PATIENT)
    async with running(client):
        await client.wait_connected()
        gateway.mute()
        await wait_for_state(client, S.RECONNECTING)
    change = lost(client)
    assert (change.closed_by, change.close_reason) == ("us", "no frame in 0 s")
    assert client.statistics.closes == {("us", 4000): 1}


async def test_a_message_that_is_too_large_is_closed_by_us(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, PATIENT)
    async with running(client):
        await client.wait_connected()
        limit = client.introspection.receive_limit
        assert limit
        gateway.send_raw("x" * (limit + 1))
        await wait_for_state(client, S.RECONNECTING)
    change = lost(client)
    assert change.error
    assert (change.error.code, change.closed_by) == ("1009", "us")
    assert "exceeds limit" in change.close_reason


async def test_a_gateway_that_hangs_up_before_its_challenge_says_why(
    gateway: GatewaySimulator,
) -> None:
    gateway.refuse(Refusal.STARTING_CLOSE)
    client = client_of(gateway, PATIENT)
    async with running(client):
        await wait_for_state(client, S.RECONNECTING)
    change = client.introspection.transitions[2]
    assert (change.closed_by, change.close_reason) == ("peer", "gateway starting")


async def test_a_close_in_the_handshake_is_kept(gateway: GatewaySimulator) -> None:
    gateway.refuse(Refusal.DROP_BEFORE_HELLO)
    client = client_of(gateway, PATIENT)
    async with running(client):
        await wait_for_state(client, S.RECONNECTING)
    assert client.introspection.transitions[2].error
    assert client.introspection.transitions[2].error.close


async def test_no_pings_are_sent_while_frames_come(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        await client.request("health")
        # websockets' keepalive would cut a connection whose proxy swallows pings.
        assert not [
            task
            for task in asyncio.all_tasks()
            if "keepalive" in getattr(task.get_coro(), "__qualname__", "")
        ]


async def test_data_counts_as_life_where_pings_are_swallowed(
    gateway: GatewaySimulator,
) -> None:
    clock = Clock()
    polled = asyncio.Event()

    class Detector(SleepDetector):
        """Detector that says when it is asked for the second time after a jump."""

        jumps = 0

        def poll(self) -> bool:
            """Tell of a jump."""
            slept = super().poll()
            self.jumps += slept
            if self.jumps and not slept:
                polled.set()
            return slept

    client = client_of(gateway, DROWSY, Detector(lambda: clock.wall, lambda: 0.0))
    async with running(client):
        await client.wait_connected()
        # The proxy in between: it takes pings in and passes data on.
        socket_of(gateway).transport.pause_reading()
        clock.wall += 3600
        while not polled.is_set():
            gateway.broadcast("tick", {"ts": 0})
            await asyncio.sleep(0)
        assert client.state is S.CONNECTED
    assert client.statistics.drops == 0


async def test_a_message_on_a_slow_line_is_waited_for(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, ahead = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead)
    text = b'{"type":"event","event":"note","payload":{"x":"%s"}}' % (b"x" * 20_000)
    frame = Frame(Opcode.TEXT, text).serialize(mask=False)
    client = client_of(gateway, replace(PATIENT, connect_timeout=1e6))
    seen: list[object] = []
    client.subscribe("note", seen.append)
    async with running(client):
        await client.wait_connected()
        gateway.mute()
        # Each part arrives just before silence would have lasted too long.
        for part in (frame[:8_000], frame[8_000:16_000], frame[16_000:]):
            await run_ready_tasks()
            ahead += 59.9
            socket_of(gateway).transport.write(part)
            await run_ready_tasks()
            ahead += 0.2
            await run_ready_tasks()
        assert client.state is S.CONNECTED
        assert len(seen) == 1
        ahead += 60
        await run_ready_tasks()
        assert client.statistics.drops == 1
    assert lost(client).close_reason == "no frame in 60 s"


async def run_ready_tasks() -> None:
    """Let everything happen that waits for nothing."""
    for _ in range(30):
        await asyncio.sleep(0)


async def test_no_transition_depends_on_a_clock_that_is_set(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        changes = client.introspection.transitions
    times = [change.monotonic_at for change in changes]
    assert times == sorted(times)
    assert times[0] > 0


async def test_secrets_that_are_short_words_hide_no_reason() -> None:
    credentials = Credentials(
        DeviceIdentity.generate(), ClientInfo("0"), "slow", password="long-enough"
    )
    assert credentials.secrets == ("long-enough", credentials.identity.secret)
    assert GatewayClient(Endpoint("127.0.0.1", 1), credentials).state is S.CLOSED
