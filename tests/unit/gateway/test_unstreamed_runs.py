"""Runs without a stream."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    AgentRunAborted,
    AgentRunError,
    Attachment,
    Delivery,
    GatewayClient,
    RequestFailedError,
    RunRequest,
    Usage,
)
from custom_components.clawd.gateway.run_result import read_chat_end, run_result
from tests.simulator import (
    Emit,
    Fail,
    GatewaySimulator,
    Pause,
    Refuse,
    Reply,
    TimeOut,
    Tool,
)
from tests.unit.clients import TIMING, connected

KEY = "agent:main:ha-task"
PICTURE = Attachment("image/png", "cam.png", "QUJD")
NOTE = Attachment("text/plain", "note.txt", "QUJD")
MODEL_RUN = RunRequest("Hello", KEY, model_run=True)
FILE_RUN = RunRequest("Hello", KEY, attachments=(PICTURE, NOTE))


@pytest.fixture
def protocol() -> int:
    """Return the protocol that has both."""
    return 4


async def read(client: GatewayClient, request: RunRequest) -> tuple[str, str]:
    """Return the text of a run as it is read, and as it is at the end."""
    run = await client.start_run(request)
    read = "".join([text async for text in run])
    return read, (await run.result()).text


async def test_the_model_alone_is_asked(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("Hello you."))
    request = replace(MODEL_RUN, attachments=(PICTURE,), thinking="off")
    async with connected(gateway) as client:
        assert await read(client, request) == ("Hello you.", "Hello you.")
        assert client.introspection.runs == ()
    [sent] = gateway.received("agent")
    assert sent.params == {
        "message": "Hello",
        "sessionKey": KEY,
        "idempotencyKey": request.run_id,
        "modelRun": True,
        "thinking": "off",
        "attachments": [
            {
                "type": "image",
                "mimeType": "image/png",
                "fileName": "cam.png",
                "content": "QUJD",
            }
        ],
    }
    assert gateway.received("chat.history") == []


async def test_the_model_may_think_for_longer_than_an_agent_is_silent(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause(), Reply("Late."))
    async with connected(gateway, replace(TIMING, run_idle_timeout=0)) as client:
        run = await client.start_run(MODEL_RUN)
        await gateway.wait_paused()
        gateway.proceed()
        assert (await run.result()).text == "Late."
        gateway.script(Pause(), Reply("Too late."))
        run = await client.start_run(replace(MODEL_RUN, run_id="2", timeout=0.01))
        with pytest.raises(AgentRunAborted) if False else pytest.raises(Exception):  # noqa: PT011
            await run.result()


async def test_a_reply_of_the_model_outlives_its_connection(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause(), Reply("Still here."))
    async with connected(gateway) as client:
        run = await client.start_run(MODEL_RUN)
        await gateway.wait_paused()
        gateway.drop()
        await gateway.wait_for_request("agent", 2)
        await gateway.wait_for_request("agent.wait", 2)
        assert len(client.introspection.pending) <= 2
        gateway.proceed()
        assert (await run.result()).text == "Still here."
        assert [
            r.method for r in client.introspection.pending if r.method == "agent"
        ] == []
    assert len(gateway.runs.by_id) == 1
    assert gateway.received("chat.history") == []


async def test_a_run_that_the_gateway_has_lost_runs_again(
    gateway: GatewaySimulator,
) -> None:
    gateway.script_once(Pause(), Reply("never"))
    gateway.script_once(Reply("Again."))
    async with connected(gateway, replace(TIMING, recovery_timeout=3)) as client:
        run = await client.start_run(MODEL_RUN)
        await gateway.wait_paused()
        await gateway.crash()
        await gateway.resume()
        assert (await run.result()).text == "Again."


async def test_a_file_goes_to_the_chat(gateway: GatewaySimulator) -> None:
    gateway.script(Reply("Let me look."), Tool("exec"), Reply("Milk."))
    request = replace(FILE_RUN, extra_system_prompt="Be brief.")
    async with connected(gateway) as client:
        read_text, text = await read(client, request)
        assert read_text == text
        assert text.split("\n\n") == ["Let me look.", "Milk."]
        assert client.introspection.runs == ()
    [sent] = gateway.received("chat.send")
    assert sent.params["message"] == "Be brief.\n\nHello"
    assert [file["type"] for file in sent.params["attachments"]] == ["image", "file"]
    assert gateway.received("agent") == []


@pytest.mark.parametrize("request_", [MODEL_RUN, FILE_RUN], ids=["model", "file"])
async def test_a_refused_run_is_an_error(
    gateway: GatewaySimulator, request_: RunRequest
) -> None:
    gateway.script(Refuse())
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError):
            await client.start_run(request_)
        assert client.introspection.runs == ()


@pytest.mark.parametrize("request_", [MODEL_RUN, FILE_RUN], ids=["model", "file"])
async def test_a_failed_run_says_why(
    gateway: GatewaySimulator, request_: RunRequest
) -> None:
    gateway.script(Fail("the provider is away"))
    async with connected(gateway) as client:
        run = await client.start_run(request_)
        with pytest.raises(AgentRunError) as error:
            await run.result()
    assert error.value.reason == "the provider is away"


@pytest.mark.parametrize("request_", [MODEL_RUN, FILE_RUN], ids=["model", "file"])
async def test_a_run_is_aborted(
    gateway: GatewaySimulator, request_: RunRequest
) -> None:
    gateway.script(Pause(), Reply("never"))
    async with connected(gateway) as client:
        run = await client.start_run(request_)
        await gateway.wait_paused()
        await run.abort()
        with pytest.raises(AgentRunAborted):
            await run.result()
    assert gateway.received("chat.abort")


async def test_a_chat_that_is_stopped_elsewhere_ends(gateway: GatewaySimulator) -> None:
    gateway.script(TimeOut())
    async with connected(gateway) as client:
        run = await client.start_run(FILE_RUN)
        with pytest.raises(AgentRunAborted):
            await run.result()


async def test_only_the_end_of_its_own_chat_ends_a_run(
    gateway: GatewaySimulator,
) -> None:
    final = {"state": "final", "message": {"content": [{"type": "text", "text": "x"}]}}
    gateway.script(
        Emit("chat", {"runId": "another", **final}),
        Emit("chat", {"runId": FILE_RUN.run_id, "state": "status"}),
        Reply("Mine."),
    )
    async with connected(gateway) as client:
        assert (await read(client, FILE_RUN))[1] == "Mine."


async def test_chat_events_are_ignored_by_runs_of_agents(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        file = await client.start_run(FILE_RUN)
        agent = await client.start_run(RunRequest("say: Both.", "agent:main:ha-2"))
        assert (await agent.result()).text == "Both."
        await file.result()


async def test_a_reply_to_a_file_outlives_its_connection(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause(), Reply("Still here."))
    async with connected(gateway) as client:
        run = await client.start_run(FILE_RUN)
        await gateway.wait_paused()
        gateway.drop()
        await gateway.wait_for_request("chat.history")
        gateway.proceed()
        assert (await run.result()).text == "Still here."


def test_a_reply_may_go_to_a_channel() -> None:
    request = RunRequest("Hello", KEY, delivery=Delivery("telegram", "42"))
    assert request.params["deliver"] is True
    assert (request.params["channel"], request.params["to"]) == ("telegram", "42")


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"usage": {}}, Usage()),
        ({"usage": {"input": "75", "output": True, "cost": {"total": "1"}}}, Usage()),
        (
            {
                "usage": {
                    "input": 75,
                    "output": 1,
                    "cacheRead": 0,
                    "cacheWrite": 2,
                    "total": 78,
                    "cost": {"total": 0.5},
                }
            },
            Usage(75, 1, 0, 2, 78, 0.5),
        ),
    ],
)
def test_usage_is_read(usage: dict[str, Any], expected: Usage) -> None:
    sent = {"status": "sent"}
    payload = {"result": {"meta": {"agentMeta": usage}, "deliveryStatus": sent}}
    result = run_result("r", payload, "Hi")
    assert result.usage == expected
    assert result.delivery == "sent"


@pytest.mark.parametrize("payload", [{}, {"message": {"content": 1}}, {"message": []}])
def test_a_chat_may_end_without_a_text(payload: dict[str, Any]) -> None:
    end = read_chat_end(payload)
    assert end == {"status": "ok", "result": {"payloads": []}}


async def test_usage_of_a_run_is_told(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        run = await client.start_run(MODEL_RUN)
        result = await asyncio.wait_for(run.result(), 5)
    assert result.usage == Usage(10, 20, 0, 0, 30, 0)
