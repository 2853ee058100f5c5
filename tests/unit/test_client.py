"""A client connects, asks, listens and says in which state it is."""

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

from .clients import client_of, connected, running

S = ConnectionState


def states(client: GatewayClient) -> list[ConnectionState]:
    return [change.state for change in client.introspection.transitions]


async def test_a_probe_connects_once_and_closes(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    hello = (await client.fetch_info()).hello
    assert hello.protocol == gateway.protocol
    assert states(client) == [S.CONNECTING, S.HANDSHAKING, S.CLOSED]
    await gateway.wait_until(lambda: not gateway.open_connections)
    assert gateway.attempts == 1


async def test_a_client_stays_connected(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        hello = await client.wait_connected()
        assert client.hello is hello
        assert (client.state, client.last_error) == (S.CONNECTED, None)
    assert states(client) == [S.CONNECTING, S.HANDSHAKING, S.CONNECTED, S.CLOSED]
    assert client.hello is None


async def test_who_waits_later_gets_the_hello_at_once(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        assert await client.wait_connected() is await client.wait_connected()


async def test_who_waits_for_a_client_that_is_stopped_is_told(
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


async def test_a_client_may_run_again(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    for _ in range(2):
        async with running(client):
            await asyncio.sleep(0)
            await client.wait_connected()
            assert await client.request("health")


async def test_a_request_returns_its_payload(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert (await client.request("health"))["ok"] is True
        assert isinstance(await client.request("system-presence"), list)
    assert client.statistics.outcomes["health", Outcome.OK] == 1


async def test_requests_are_answered_in_any_order(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.hold("health")
    async with running(client):
        await client.wait_connected()
        slow = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        await client.request("status")
        assert [request.method for request in client.introspection.pending] == [
            "health"
        ]
        gateway.release("health")
        await slow
        assert client.introspection.pending == ()


async def test_a_request_that_fails_says_why(gateway: GatewaySimulator) -> None:
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
async def test_a_request_keeps_its_deadline(
    gateway: GatewaySimulator, deadline: float
) -> None:
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


async def test_without_a_connection_nothing_is_asked(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    with pytest.raises(NotConnectedError):
        await client.request("health")
    with pytest.raises(NotConnectedError):
        await client.start_run(RunRequest("Hello", "agent:main:x"))
    assert (client.introspection.pending, client.introspection.runs) == ((), ())


async def test_parameters_that_are_no_json_leave_nothing_pending(
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


async def test_a_caller_that_gives_up_leaves_nothing_pending(
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


async def test_responses_to_nobody_are_counted(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.duplicate("health")
    gateway.before("health", {"type": "res", "id": "nobody", "ok": True})
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert client.statistics.duplicate_responses == 1
    assert client.statistics.unknown_responses == 1


@pytest.mark.parametrize("noise", ["no json", b"\xff", "[]", '{"type":"res"}'])
async def test_noise_is_counted_and_ignored(
    gateway: GatewaySimulator, noise: str | bytes
) -> None:
    client = client_of(gateway)
    gateway.before("health", noise)
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert client.statistics.invalid_frames == 1


async def test_events_that_nobody_wants_are_counted(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    gateway.before("health", ("note", {}), ("note", {}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        names = [entry.name for entry in client.statistics.trace]
    assert names.count("note") == 2
    assert client.statistics.frames_in == len(names) - client.statistics.frames_out


async def test_listeners_hear_events_in_order(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[Event] = []
    client.subscribe("note", heard.append)
    gateway.before("health", *(("note", {"n": n}) for n in range(3)))
    gateway.after("health", ("note", {"n": 3}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        await client.request("status")
    assert [event.payload["n"] for event in heard] == [0, 1, 2, 3]
    seqs = [event.seq for event in heard if event.seq is not None]
    assert seqs == list(range(seqs[0], seqs[0] + 4))


async def test_events_around_the_hello_are_heard(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[int] = []
    client.subscribe("note", lambda event: heard.append(event.payload["n"]))
    gateway.before("connect", ("note", {"n": 0}))
    gateway.after("connect", ("note", {"n": 1}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert heard == [0, 1]


async def test_who_unsubscribed_hears_no_more(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[Event] = []
    unsubscribe = client.subscribe("note", heard.append)
    assert client.introspection.listeners == {"note": (heard.append,)}
    unsubscribe()
    assert client.introspection.listeners == {}
    gateway.before("health", ("note", {}))
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert heard == []


async def test_observers_hear_every_change_of_state(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[Transition] = []
    unsubscribe = client.subscribe_state(heard.append)
    async with running(client):
        await client.wait_connected()
    assert tuple(heard) == client.introspection.transitions
    unsubscribe()
    await client.fetch_info()
    assert len(heard) == 4


async def test_an_event_without_a_number_is_heard(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    heard: list[Event] = []
    client.subscribe("note", heard.append)
    gateway.before("health", {"type": "event", "event": "note"})
    async with running(client):
        await client.wait_connected()
        await client.request("health")
    assert [(event.seq, event.payload) for event in heard] == [(None, {})]


async def test_a_sequence_that_jumps_is_counted(gateway: GatewaySimulator) -> None:
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


async def test_the_tasks_of_a_client_have_names(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        await client.request("health")
        assert sorted(client.introspection.tasks.values()) == ["run", "watchdog"]
    assert client.introspection.tasks == {}


async def test_a_client_shows_what_it_has_armed_sent_and_reached(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    assert client.peer is None
    async with connected(gateway) as client:
        assert client.peer
        assert client.peer.address == gateway.host
        sent = client.statistics.frames_out
        gateway.hold("agent")
        asked = asyncio.create_task(client.start_run(RunRequest("Hello", "agent:main")))
        await gateway.wait_for_request("agent")
        assert client.statistics.frames_out == sent + 1
        assert (
            len(client.introspection.timers)
            == len(client.introspection.pending) + len(client.introspection.runs)
            == 2
        )
        gateway.release("agent")
        await (await asked).result()
        assert client.introspection.timers == set()
