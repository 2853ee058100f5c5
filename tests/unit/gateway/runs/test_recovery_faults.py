"""Faults during the recovery of runs."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    OPERATOR_PROFILE,
    AgentRun,
    AgentRunAborted,
    AgentRunError,
    ClientInfo,
    ConnectionState,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    NotConnectedError,
    RunRequest,
    Statistics,
    Transition,
)
from custom_components.clawd.gateway.protocol.connection import Connection
from custom_components.clawd.gateway.protocol.transport import open_socket
from custom_components.clawd.gateway.runs.recovery import HISTORY_LIMITS, recover
from custom_components.clawd.gateway.runs.stream import MAX_BUFFERED_EVENTS
from tests.simulator import GatewaySimulator, Pause, Reply, Step, Tool
from tests.simulator.recordings import Frame
from tests.unit.clients import (
    TIMING,
    client_of,
    connected,
    running,
    stop,
    wait_for_state,
)
from tests.unit.run_harness import RunHarness

KEY = "agent:main:ha-faults"


def listener_tasks(client: GatewayClient) -> list[asyncio.Task[object]]:
    return [
        task
        for task, name in client.introspection.tasks.items()
        if name.startswith("listener")
    ]


async def start_run_and_drop(
    gateway: GatewaySimulator, client: GatewayClient
) -> AgentRun:
    """Start a run and drop the connection during it."""
    gateway.script(Reply("It"), Pause(), Reply(" is on."))
    await client.wait_connected()
    run = await client.start_run(RunRequest("Hello", KEY))
    await gateway.wait_paused()
    gateway.drop()
    return run


@pytest.mark.parametrize(
    "change",
    [
        lambda history: history.update(messages=None),
        lambda history: history.update(messages=7),
        lambda history: history.update(messages=[None, [], {"role": "user"}]),
        lambda history: history.update(pendingInputs={"items": [7]}, messages=[]),
        lambda history: history.update(sessionInfo=[], messages=[{"role": ["user"]}]),
        lambda history: history.update(
            messages=[{"role": "user", "timestamp": 1e15, "content": [7, {"text": 7}]}]
        ),
    ],
)
async def test_malformed_history_does_not_stop_client(
    gateway: GatewaySimulator, change: Callable[[Frame], None]
) -> None:
    gateway.edit("chat.history", change)
    client = client_of(gateway)
    async with running(client) as task:
        await start_run_and_drop(gateway, client)
        await gateway.wait_for_request("chat.history")
        await client.wait_connected()
        await client.request("health")
        await client.request("health")
        assert not task.done()
        assert client.state is ConnectionState.CONNECTED
        gateway.proceed()


async def test_history_timeout_is_retried(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, request_timeout=0.05))
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        gateway.hold("chat.history")
        await gateway.wait_for_request("chat.history", 2)
        gateway.release("chat.history")
        gateway.proceed()
        assert (await run.result()).text == "It is on."


async def test_agent_wait_is_short_while_text_is_missing(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        await gateway.wait_for_request("agent.wait")
        [request, *_] = gateway.received("agent.wait")
        assert request.params["timeoutMs"] == TIMING.poll_interval * 1000
        gateway.proceed()
        await run.result()


async def test_message_beyond_longest_history_is_searched_again(
    gateway: GatewaySimulator,
) -> None:
    others = [{"role": "assistant"}] * HISTORY_LIMITS[-1]
    gateway.edit("chat.history", lambda history: history.update(messages=others))
    client = client_of(gateway, replace(TIMING, wait_timeout=0.001, poll_interval=0))
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        await gateway.wait_for_request("chat.history", 2 * len(HISTORY_LIMITS))
        limits = [r.params["limit"] for r in gateway.received("chat.history")]
        assert limits[: 2 * len(HISTORY_LIMITS)] == [*HISTORY_LIMITS] * 2
        assert not run.ended
    gateway.proceed()


async def test_refused_history_fails_run(
    gateway: GatewaySimulator,
) -> None:
    error = {"code": "FORBIDDEN", "message": "no"}
    refusal = {"type": "res", "id": "2", "ok": False, "error": error}
    gateway.before("chat.history", refusal)
    client = client_of(gateway)
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        with pytest.raises(AgentRunError) as caught:
            await run.result()
        assert caught.value.code == "FORBIDDEN"
        assert client.introspection.runs == ()
    gateway.proceed()


@pytest.mark.parametrize(
    ("payload", "kind", "code"),
    [
        ({"status": "error"}, AgentRunError, "UNAVAILABLE"),
        ({"status": "error", "stopReason": "rpc"}, AgentRunAborted, "ABORTED"),
        ({"status": "timeout", "stopReason": "rpc"}, AgentRunAborted, "ABORTED"),
        ({"status": "ok", "stopReason": "rpc"}, AgentRunAborted, "ABORTED"),
        ({"status": "ok"}, AgentRunError, "NO_REPLY"),
    ],
)
async def test_run_ended_without_reply_fails(
    gateway: GatewaySimulator, payload: Frame, kind: type[AgentRunError], code: str
) -> None:
    gateway.edit("agent.wait", lambda answer: answer.update(payload))
    client = client_of(gateway, replace(TIMING, wait_timeout=0.001, poll_interval=0))
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        with pytest.raises(kind) as caught:
            await run.result()
        assert caught.value.code == code
    gateway.proceed()


@pytest.mark.parametrize("status", ["timeout", "ok"])
async def test_unfinished_run_is_polled(gateway: GatewaySimulator, status: str) -> None:
    gateway.edit("agent.wait", lambda payload: payload.update(status=status))
    client = client_of(gateway, replace(TIMING, wait_timeout=0.001, poll_interval=0))
    async with running(client):
        run = await start_run_and_drop(gateway, client)
        await gateway.wait_for_request("agent.wait", 3)
        assert not run.ended
        gateway.proceed()
        assert (await run.result()).text == "It is on."


async def test_connection_loss_during_recovery_keeps_run(
    gateway: GatewaySimulator,
) -> None:
    endpoint = Endpoint(gateway.host, gateway.port)
    connection = Connection(
        await open_socket(endpoint, TIMING),
        TIMING,
        Statistics(),
        lambda *_: None,
        lambda _: True,
    )
    identity, info = DeviceIdentity.generate(), ClientInfo("0.1.0")
    credentials = Credentials(identity, info, gateway.token)
    await connection.handshake(
        credentials, OPERATOR_PROFILE, asyncio.get_running_loop().time() + 2
    )
    await connection.close(NotConnectedError("x"))
    harness = RunHarness()
    await recover(harness.run, connection, unexpected_call)
    assert not harness.run.ended
    harness.run.fail(NotConnectedError("x"))


async def unexpected_call() -> None:
    raise AssertionError


async def test_poll_interval_ends_with_connection(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway, replace(TIMING, poll_interval=60))
    async with running(client) as task:
        await start_run_and_drop(gateway, client)
        await gateway.wait_for_request("chat.history", 2)
        gateway.drop()
        await wait_for_state(client, ConnectionState.RECONNECTING)
        await stop(task)
    gateway.proceed()


async def test_run_started_by_state_listener_is_not_recovered(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    texts: list[str] = []

    async def start_run(change: Transition) -> None:
        if change.state is ConnectionState.CONNECTED:
            run = await client.start_run(RunRequest("say: Hello", KEY))
            texts.append((await run.result()).text)

    client.subscribe_state(start_run)
    async with running(client):
        await client.wait_connected()
        await asyncio.gather(*listener_tasks(client))
    assert texts == ["Hello"]
    assert gateway.received("chat.history") == []
    assert len(gateway.received("agent")) == 1


async def read_run_while_disconnected(
    gateway: GatewaySimulator, client: GatewayClient, *steps: Step
) -> str:
    """Return the text of a run that continues while disconnected."""
    gateway.script(Reply("First."), Pause(), *steps)
    run = await client.start_run(RunRequest("Hello", KEY))
    await gateway.wait_paused()
    gateway.hold("chat.history")
    gateway.drop()
    await gateway.wait_for_request("chat.history")
    gateway.proceed()
    await gateway.wait_until(lambda: not gateway.runs.active())
    gateway.release("chat.history")
    return "".join([text async for text in run])


async def test_buffer_overflow_reads_history_again(
    gateway: GatewaySimulator,
) -> None:
    words = ("word", *[" word"] * MAX_BUFFERED_EVENTS)
    async with connected(gateway) as client:
        steps = (Tool("look"), Reply(chunks=words), Tool("look"), Reply("Last."))
        text = await read_run_while_disconnected(gateway, client, *steps)
    assert text == f"First.\n\n{''.join(words)}\n\nLast."
    assert len(gateway.received("chat.history")) == 2


async def test_message_is_found_in_longer_history(
    gateway: GatewaySimulator,
) -> None:
    words = [f"Word {number}." for number in range(HISTORY_LIMITS[0])]
    steps = [step for word in words for step in (Tool("look"), Reply(word))]
    async with connected(gateway) as client:
        text = await read_run_while_disconnected(gateway, client, *steps)
    assert text == "\n\n".join(["First.", *words])
