"""Model runs, files and temporary sessions."""

import asyncio
from base64 import b64encode

import pytest

from custom_components.clawd.gateway import (
    AgentRunAborted,
    Attachment,
    GatewayClient,
    RequestFailedError,
    RunRequest,
    Usage,
)
from tests.simulator import Pause, Reply

from .clients import new_client, running
from .gateway_harness import GatewayHarness, RealGatewayHarness
from .gateways import Gateway
from .model import PIXEL

PICTURE = Attachment("image/png", "pixel.png", PIXEL)
NOTE = Attachment("text/plain", "note.txt", b64encode(b"The milk is out.").decode())
DATA = '{"people": 2}'


@pytest.fixture(params=[4], ids=["v4"])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return the protocol that has all of it."""
    return int(request.param)


async def test_the_model_alone_answers_and_leaves_nothing(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply(DATA))
    request = RunRequest(f"say {DATA}", session_key, model_run=True)
    result = await (await client.start_run(request)).result()
    assert result.text == DATA
    assert result.usage.total
    assert result.model
    assert not await client.sessions.delete(session_key)


async def test_the_model_alone_is_shown_a_picture_if_it_sees(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("A pixel."))
    request = RunRequest(
        "say A pixel.", session_key, model_run=True, attachments=(PICTURE,)
    )
    [model, *_] = await client.models.list(details=True)
    try:
        result = await (await client.start_run(request)).result()
    except RequestFailedError:
        assert model.sees is False
    else:
        assert model.sees
        assert result.text == "A pixel."


async def test_the_model_alone_is_stopped(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Pause(), Reply("never"))
    run = await client.start_run(RunRequest("hang", session_key, model_run=True))
    await run.abort()
    with pytest.raises(AgentRunAborted):
        await run.result()
    wait = {"runId": run.run_id, "timeoutMs": 30_000}
    outcome = await client.request("agent.wait", wait)
    assert outcome["stopReason"] == "rpc"


async def test_a_session_is_thrown_away(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("Hello."))
    run = await client.start_run(RunRequest("say Hello.", session_key))
    assert (await run.result()).text == "Hello."
    assert await client.sessions.delete(session_key)
    assert not await client.sessions.delete(session_key)


async def test_a_session_is_thrown_away_once_its_run_is_stopped(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Pause(), Reply("never"))
    run = await client.start_run(RunRequest("hang", session_key))
    await run.abort()
    async with asyncio.timeout(60):
        while True:
            try:
                await client.sessions.delete(session_key)
            except RequestFailedError:
                await client.request(
                    "agent.wait", {"runId": run.run_id, "timeoutMs": 500}
                )
            else:
                break
    assert not await client.sessions.delete(session_key)


async def test_a_file_goes_to_the_agent(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("The milk is out."))
    request = RunRequest("say The milk is out.", session_key, attachments=(NOTE,))
    run = await client.start_run(request)
    result = await run.result()
    assert result.text == "The milk is out."
    assert result.usage == Usage()
    told = await client.fetch_usage(session_key, run.run_id, run.gateway_id)
    assert told.model
    assert told.provider
    assert told.usage.input
    assert told.usage.output
    assert told.usage.total
    assert told.usage.cost is not None
    assert await client.sessions.delete(session_key)


@pytest.mark.parametrize("command", ["/elevated full", "/model made/up", "/think high"])
async def test_a_text_beside_a_file_is_no_command(
    gateway: Gateway, session_key: str, command: str
) -> None:
    message = f"Look:\n{command}\nsay The milk is out."
    request = RunRequest(message, session_key, attachments=(NOTE,))
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        result = await (await client.start_run(request)).result()
    assert result.text == "The milk is out."


async def test_the_tools_of_a_session_are_listed_once_it_is_there(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    with pytest.raises(RequestFailedError):
        await client.tools.effective(session_key)
    harness.set_script(Reply("Hello."))
    run = await client.start_run(RunRequest("say Hello.", session_key))
    await run.result()
    effective = await client.tools.effective(session_key)
    tools = [tool.name for tool in effective.tools]
    assert "exec" in tools
    assert "image_generate" not in tools


async def test_a_tool_that_is_not_there_leaves_no_session(
    client: GatewayClient, session_key: str
) -> None:
    with pytest.raises(RequestFailedError) as error:
        await client.tools.invoke("image_generate", {"action": "list"}, session_key)
    assert error.value.code == "not_found"
    assert not await client.sessions.delete(session_key)


async def test_a_reply_of_the_model_outlives_its_connection(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply(chunks=("0 ", "1 ", "2 "), delay=0.5))
    request = RunRequest("count 3 every 1000", session_key, model_run=True)
    run = await client.start_run(request)
    await client.interrupt()
    result = await run.result()
    assert result.text.split() == ["0", "1", "2"]


@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_usage_of_a_recovered_reply_is_told(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply(chunks=("0 ", "1 ", "2 "), delay=0.5))
    run = await client.start_run(RunRequest("count 3 every 1000", session_key))
    await client.interrupt()
    result = await run.result()
    assert result.text.split() == ["0", "1", "2"]
    assert result.usage.output
    assert result.usage.total
    assert result.provider
    assert result.model


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_takes_a_picture(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Reply("A pixel."))
    request = RunRequest("say A pixel.", session_key, attachments=(PICTURE,))
    result = await (await client.start_run(request)).result()
    assert result.text == "A pixel."
    assert result.usage.total
    assert result.usage.cost is None
