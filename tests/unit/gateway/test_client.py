"""Connection, requests and events of the client."""

import asyncio

import pytest

from custom_components.clawd.gateway import (
    ConnectionState,
    Event,
    GatewayClient,
    MissingScopeError,
    NotConnectedError,
    Outcome,
    RequestFailedError,
    RequestTimeoutError,
    RunRequest,
    Transition,
)
from tests.simulator import GatewaySimulator
from tests.unit.clients import client_of, connected, running

S = ConnectionState


def states(client: GatewayClient) -> list[ConnectionState]:
    return [change.state for change in client.introspection.transitions]


async def test_fetch_info_connects_once_and_closes(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    hello = (await client.fetch_info()).hello
    assert hello.protocol == gateway.protocol
    assert states(client) == [S.CONNECTING, S.HANDSHAKING, S.CLOSED]
    await gateway.wait_until(lambda: not gateway.open_connections)
    assert gateway.attempts == 1


async def test_client_stays_connected(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        hello = await client.wait_connected()
        assert client.hello is hello
        assert (client.state, client.last_error) == (S.CONNECTED, None)
    assert states(client) == [S.CONNECTING, S.HANDSHAKING, S.CONNECTED, S.CLOSED]
    assert client.hello is None


async def test_wait_connected_returns_same_hello(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        assert await client.wait_connected() is await client.wait_connected()


async def test_wait_connected_fails_when_client_stops(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    gateway.hold("connect")
    async with running(client):
        waiter = asyncio.create_task(client.wait_connected())
        await gateway.wait_for_request("connect")
    with pytest.raises(NotConnectedError) as caught:
        await waiter
    assert caught.value.code == "STOPPED"
    with pytest.raises(NotConnectedError):
        await client.wait_connected()
    gateway.release("connect")


async def test_client_can_run_again(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    for _ in range(2):
        async with running(client):
            await asyncio.sleep(0)
            await client.wait_connected()
            assert await client.request("health")


async def test_request_returns_payload(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert (await client.request("health"))["ok"] is True
        assert isinstance(await client.request("system-presence"), list)
    assert client.statistics.outcomes["health", Outcome.OK] == 1


async def test_responses_arrive_in_any_order(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.hold("health")
    async with running(client):
        await client.wait_connected()
        held = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        await client.request("status")
        assert [request.method for request in client.introspection.pending] == [
            "health"
        ]
        gateway.release("health")
        await held
        assert client.introspection.pending == ()


async def test_failed_request_raises_error(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(MissingScopeError):
            await client.request("config.set", {})
        with pytest.raises(RequestFailedError) as caught:
            await client.request("agent", {"message": "", "idempotencyKey": ""})
    assert caught.value.code == "INVALID_REQUEST"
    assert client.statistics.outcomes["agent", Outcome.ERROR] == 1


@pytest.mark.parametrize("deadline", [0, 0.005])
async def test_request_times_out(gateway: GatewaySimulator, deadline: float) -> None:
    client = client_of(gateway)
    gateway.hold("health")
    async with running(client):
        await client.wait_connected()
        async with asyncio.timeout(1):
            with pytest.raises(RequestTimeoutError):
                await client.request("health", timeout=deadline)
        assert client.introspection.pending == ()
        gateway.release("health")
        await client.request("status")
    assert client.statistics.late_responses == 1


async def test_request_without_connection_is_not_sent(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    with pytest.raises(NotConnectedError):
        await client.request("health")
    with pytest.raises(NotConnectedError):
        await client.start_run(RunRequest("Hello", "agent:main:x"))
    assert (client.introspection.pending, client.introspection.runs) == ((), ())


async def test_unserializable_parameters_leave_nothing_pending(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(TypeError):
            await client.request("health", {"x": object()})
        await asyncio.sleep(0)
        assert client.introspection.pending == ()
        await client.request("health")


async def test_cancelled_request_leaves_nothing_pending(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    gateway.hold("health")
    async with running(client):
        await client.wait_connected()
        request = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        request.cancel()
        await asyncio.wait([request])
        assert client.introspection.pending == ()
        gateway.release("health")
        await client.request("status")
    assert client.statistics.late_responses == 1


async def test_duplicate_and_unknown_responses_are_counted(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    gateway.duplicate("health")
    gateway.before("health", {"type": "res", "id": "unknown", "ok": True})
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert client.statistics.duplicate_responses == 1
    assert client.statistics.unknown_responses == 1


@pytest.mark.parametrize("noise", ["no json", b"\xff", "[]", '{"type":"res"}'])
async def test_invalid_frames_are_counted_and_ignored(
    gateway: GatewaySimulator, noise: str | bytes
) -> None:
    client = client_of(gateway)
    gateway.before("health", noise)
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert client.statistics.invalid_frames == 1


async def test_events_without_listener_are_counted(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.before("health", ("note", {}), ("note", {}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        names = [entry.name for entry in client.statistics.trace]
    assert names.count("note") == 2
    assert client.statistics.frames_in == len(names) - client.statistics.frames_out


async def test_listeners_receive_events_in_order(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    received: list[Event] = []
    client.subscribe("note", received.append)
    gateway.before("health", *(("note", {"n": n}) for n in range(3)))
    gateway.after("health", ("note", {"n": 3}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert [event.payload["n"] for event in received] == [0, 1, 2, 3]
    seqs = [event.seq for event in received if event.seq is not None]
    assert seqs == list(range(seqs[0], seqs[0] + 4))


async def test_events_around_hello_are_received(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    received: list[int] = []
    client.subscribe("note", lambda event: received.append(event.payload["n"]))
    gateway.before("connect", ("note", {"n": 0}))
    gateway.after("connect", ("note", {"n": 1}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert received == [0, 1]


async def test_unsubscribed_listener_receives_nothing(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    received: list[Event] = []
    unsubscribe = client.subscribe("note", received.append)
    assert client.introspection.listeners == {"note": (received.append,)}
    unsubscribe()
    assert client.introspection.listeners == {}
    gateway.before("health", ("note", {}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert received == []


async def test_state_listener_receives_every_transition(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    received: list[Transition] = []
    unsubscribe = client.subscribe_state(received.append)
    async with running(client):
        await client.wait_connected()
    assert tuple(received) == client.introspection.transitions
    unsubscribe()
    await client.fetch_info()
    assert len(received) == 4


async def test_event_without_seq_is_received(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    received: list[Event] = []
    client.subscribe("note", received.append)
    gateway.before("health", {"type": "event", "event": "note"})
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert [(event.seq, event.payload) for event in received] == [(None, {})]


async def test_sequence_gap_is_counted(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    for name in ("note", "presence", "health"):
        client.subscribe(name, lambda _: None)
    frames = [{"type": "event", "event": "note", "seq": n} for n in (1000, 1001, 1003)]
    gateway.before("health", *frames)
    async with running(client):
        await client.wait_connected()
        before = client.statistics.sequence_gaps
        await client.request("health")
    assert client.statistics.sequence_gaps - before == 2


async def test_client_tasks_are_named(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        assert sorted(client.introspection.tasks.values()) == ["run", "watchdog"]
    assert client.introspection.tasks == {}


async def test_client_exposes_timers_frames_and_peer(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    assert client.peer is None
    async with connected(gateway) as client:
        assert client.peer
        assert client.peer.address == gateway.host
        sent = client.statistics.frames_out
        gateway.hold("agent")
        start = asyncio.create_task(client.start_run(RunRequest("Hello", "agent:main")))
        await gateway.wait_for_request("agent")
        assert client.statistics.frames_out == sent + 1
        assert (
            len(client.introspection.timers)
            == len(client.introspection.pending) + len(client.introspection.runs)
            == 2
        )
        gateway.release("agent")
        await (await start).result()
        assert client.introspection.timers == set()
