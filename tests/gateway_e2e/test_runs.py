"""Tests of agent runs."""

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    AgentRunError,
    GatewayClient,
    Payload,
    RunRequest,
)
from tests.simulator import Replace, Reply

from .cases import CASES, Case
from .gateway_harness import GatewayHarness

COUNT = "count 40 every 50"
COUNTED = Reply(chunks=("0", *(f" {number}" for number in range(1, 40))), delay=0.05)
STOPPED = {3: ("status", "ok"), 4: ("stopReason", "rpc")}


async def wait_for_run(
    client: GatewayClient, run: AgentRun, timeout_ms: int
) -> Payload:
    """Return the response of `agent.wait`."""
    wait = {"runId": run.run_id, "timeoutMs": timeout_ms}
    outcome = await client.request("agent.wait", wait)
    assert isinstance(outcome, dict)
    return outcome


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_run_returns_expected_reply(
    case: Case, harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(*case.script)
    run = await client.start_run(RunRequest(case.message, session_key))
    reply = case.replies[harness.protocol]
    if reply is None:
        with pytest.raises(AgentRunError):
            await run.result()
        return
    streamed = "".join([text async for text in run])
    assert streamed == reply
    assert (await run.result()).text == reply


async def test_what_the_gateway_takes_out_at_the_end_is_told_once(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    written = 'Look. <tool_call>{"name":"x"}</tool_call> It is done.'
    reply = {3: written, 4: "Look.  It is done."}[harness.protocol]
    end = () if reply == written else (Replace(reply),)
    harness.set_script(Reply(written), *end)
    run = await client.start_run(RunRequest(f"say {written}", session_key))
    assert "".join([text async for text in run]) == written
    assert (await run.result()).text == reply


async def test_text_is_streamed(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(COUNTED)
    run = await client.start_run(RunRequest(COUNT, session_key))
    first = await anext(aiter(run))
    result = await run.result()
    assert result.text.startswith(first)
    assert len(first) < len(result.text)


async def test_aborted_run_ends_at_once(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(COUNTED)
    run = await client.start_run(RunRequest(COUNT, session_key))
    await anext(aiter(run))
    await run.abort()
    with pytest.raises(AgentRunAborted):
        await run.result()
    assert client.introspection.runs == ()
    outcome = await wait_for_run(client, run, timeout_ms=30_000)
    assert STOPPED[harness.protocol] in outcome.items()
