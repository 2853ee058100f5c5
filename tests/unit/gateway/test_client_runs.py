"""Agent runs over a connection."""

import asyncio
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    AgentRunAborted,
    AgentRunError,
    ClientInfo,
    ConnectionLostError,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    MissingScopeError,
    NotConnectedError,
    RequestFailedError,
    RequestTimeoutError,
    RunRequest,
)
from tests.simulator import (
    Ack,
    End,
    Fail,
    GatewaySimulator,
    Pause,
    Refuse,
    Reply,
    Retry,
    TimeOut,
    Tool,
)
from tests.unit.clients import TIMING, client_of, running, stop

KEY = "agent:main:ha-test"


async def read_reply(client: GatewayClient, message: str = "Hello") -> str:
    """Read the reply and compare it with the result."""
    run = await client.start_run(RunRequest(message, KEY))
    text = "".join([delta async for delta in run])
    assert (await run.result()).text == text
    return text


async def test_reply_is_streamed(gateway: GatewaySimulator) -> None:
    gateway.script(Reply(chunks=("One ",)), Pause(), Reply(chunks=("two",)))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        reader = aiter(run)
        assert (await anext(reader)).strip() == "One"
        assert not client.introspection.runs[0].ended
        gateway.proceed()
        assert "two" in await anext(reader)
        result = await run.result()
        assert result.text.split() == ["One", "two"]
        assert (
            result.model,
            client.introspection.runs,
            client.introspection.pending,
        ) == ("mock", (), ())


async def test_agent_request_parameters(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(
            RunRequest("Hello", KEY, extra_system_prompt="Be brief.", thinking="off")
        )
        await run.result()
        await read_reply(client)
    first, second = (request.params for request in gateway.received("agent"))
    assert first == {
        "message": "Hello",
        "sessionKey": KEY,
        "idempotencyKey": run.run_id,
        "extraSystemPrompt": "Be brief.",
        "thinking": "off",
    }
    assert not {"extraSystemPrompt", "thinking"} & second.keys()
    assert second["idempotencyKey"] != run.run_id


async def test_empty_message_is_refused_by_gateway(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(RequestFailedError):
            await client.start_run(RunRequest("", KEY))
    [request] = gateway.received("agent")
    assert request.params["message"] == ""


@pytest.mark.parametrize(
    ("idle_timeout", "timeout", "code"),
    [(0.05, None, "RUN_IDLE_TIMEOUT"), (None, 0.05, "RUN_TIMEOUT")],
)
async def test_run_timeouts_can_be_set_per_run(
    gateway: GatewaySimulator,
    idle_timeout: float | None,
    timeout: float | None,
    code: str,
) -> None:
    gateway.script(Reply("One"), Pause())
    client = client_of(gateway, replace(TIMING, run_timeout=60, run_idle_timeout=60))
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(
            RunRequest("Hello", KEY, idle_timeout=idle_timeout, timeout=timeout)
        )
        with pytest.raises(RequestTimeoutError) as caught:
            await run.result()
    assert caught.value.code == code


async def test_session_model_can_be_changed(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        hello = await client.wait_connected()
        assert hello.can_choose_model is (gateway.protocol == 4)
        if hello.can_choose_model:
            await client.sessions.patch(KEY, model="mock/thinker")
            await client.sessions.patch(KEY, model=None)
        else:
            with pytest.raises(MissingScopeError):
                await client.sessions.patch(KEY, model="mock/thinker")
    patches = [request.params for request in gateway.received("sessions.patch")]
    assert patches[0] == {"key": KEY, "model": "mock/thinker"}
    assert patches[1:] in ([], [{"key": KEY, "model": None}])


async def test_trace_length_is_configurable(gateway: GatewaySimulator) -> None:
    credentials = Credentials(DeviceIdentity.generate(), ClientInfo("0"), gateway.token)
    endpoint = Endpoint(gateway.host, gateway.port)
    client = GatewayClient(endpoint, credentials, timing=TIMING, trace_length=2)
    await client.fetch_info()
    assert len(client.statistics.trace) == 2
    assert client.statistics.frames_in > 2


async def test_reply_before_ack_is_complete(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("It is on."), Ack())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert await read_reply(client) == "It is on."
    assert client.statistics.foreign_run_events == 0


async def test_chat_events_do_not_repeat_text(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    chats: list[object] = []
    client.subscribe("chat", chats.append)
    async with running(client):
        await client.wait_connected()
        assert await read_reply(client, "say: It is on.") == "It is on."
    assert chats


async def test_text_around_tool_call_is_two_paragraphs(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("Let me look."), Tool("ls"), Reply("It is on."))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert await read_reply(client) == "Let me look.\n\nIt is on."


async def test_retry_after_tool_call_keeps_earlier_text(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("Let me look."), Tool("ls"), Retry(), Reply("It is on."))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert await read_reply(client) == "Let me look.\n\nIt is on."


@pytest.mark.parametrize("protocol", [3])
async def test_retry_replaces_text(gateway: GatewaySimulator) -> None:
    gateway.script(Reply(chunks=("It",)), Retry(), Reply(chunks=("It", " is on.")))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        assert await read_reply(client) == "It is on."


async def test_runs_of_session_are_sequential(gateway: GatewaySimulator) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        texts = [f"say: This is {number}." for number in range(3)]
        replies = await asyncio.gather(*(read_reply(client, text) for text in texts))
    assert replies == ["This is 0.", "This is 1.", "This is 2."]


async def test_foreign_runs_are_counted_and_ignored(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        other = gateway.run("say: Not for you.")
        assert await read_reply(client, "say: For you.") == "For you."
        await other.done.wait()
        await client.request("health")
        assert client.introspection.runs == ()
    assert client.statistics.foreign_run_events > 0


async def test_refused_run_raises_error(gateway: GatewaySimulator) -> None:
    gateway.script(Refuse("unknown agent"))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(RequestFailedError) as caught:
            await client.start_run(RunRequest("Hello", KEY))
        assert (caught.value.code, caught.value.reason) == (
            "INVALID_REQUEST",
            "unknown agent",
        )
        assert (client.introspection.runs, client.introspection.pending) == ((), ())


async def test_model_error(gateway: GatewaySimulator) -> None:
    gateway.script(Retry("HTTP 500"), Fail("HTTP 500"))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        with pytest.raises(AgentRunError) as caught:
            await run.result()
        assert caught.value.reason == "HTTP 500"
        assert run.stream.text == ""


@pytest.mark.parametrize("protocol", [4])
async def test_run_timeout_of_gateway_is_error(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("It"), TimeOut())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        with pytest.raises(AgentRunError):
            await read_reply(client)
        assert client.introspection.runs == ()


async def test_lifecycle_end_does_not_end_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("It is on."), End(), Pause())
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        await gateway.wait_paused()
        await client.request("health")
        assert len(client.introspection.runs) == 1
        gateway.proceed()
        assert (await run.result()).text == "It is on."


async def test_abort_stops_run(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("It"), Pause(), Reply(" is on."))
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        reader = aiter(run)
        await anext(reader)
        await run.abort()
        with pytest.raises(AgentRunAborted):
            await anext(reader)
        assert (client.introspection.runs, client.introspection.pending) == ((), ())
        gateway.proceed()
        await client.request("health")


async def test_abort_without_connection_ends_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause())
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        await stop(task)
        await run.abort()
        with pytest.raises(NotConnectedError):
            await run.result()
    gateway.proceed()


async def test_drop_fails_requests_but_keeps_runs(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("It"), Pause())
    gateway.hold("health")
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        request = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        gateway.drop()
        async with asyncio.timeout(1):
            with pytest.raises(ConnectionLostError):
                await request
        assert [info.run_id for info in client.introspection.runs] == [run.run_id]
    gateway.proceed()
    gateway.release("health")


async def test_stop_fails_runs_and_requests(gateway: GatewaySimulator) -> None:
    gateway.script(Pause())
    gateway.hold("health")
    client = client_of(gateway)
    async with running(client) as task:
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        request = asyncio.create_task(client.request("health"))
        await gateway.wait_for_request("health")
        await stop(task)
        for awaitable in (run.result(), request):
            with pytest.raises(NotConnectedError) as caught:
                await awaitable
            assert caught.value.code == "STOPPED"
        assert (
            client.introspection.runs,
            client.introspection.pending,
            client.introspection.tasks,
        ) == ((), (), {})
    gateway.proceed()
    gateway.release("health")


async def test_cancelled_start_leaves_nothing(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("agent")
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        start = asyncio.create_task(client.start_run(RunRequest("Hello", KEY)))
        await gateway.wait_for_request("agent")
        start.cancel()
        await asyncio.wait([start])
        await asyncio.sleep(0)
        assert client.introspection.runs == ()
        assert "agent" not in {
            request.method for request in client.introspection.pending
        }
        gateway.release("agent")
        await client.request("health")
    assert client.statistics.late_responses > 0


async def test_request_during_connection_loss_fails(
    gateway: GatewaySimulator,
) -> None:
    client = client_of(gateway)
    async with running(client):
        await client.wait_connected()
        gateway.drop()
        with pytest.raises(ConnectionLostError):
            await client.request("health")
        with pytest.raises(NotConnectedError):
            await client.request("health")


async def test_unacknowledged_run_times_out(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("agent")
    client = client_of(gateway, replace(TIMING, request_timeout=0.05))
    async with running(client):
        await client.wait_connected()
        with pytest.raises(RequestTimeoutError):
            await client.start_run(RunRequest("Hello", KEY))
        assert client.introspection.runs == ()
    gateway.release("agent")
