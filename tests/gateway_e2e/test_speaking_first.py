"""Message tools of a node."""

import json
from typing import Any

import pytest

from custom_components.clawd.gateway import GatewayClient, RunRequest
from custom_components.clawd.home.messages import MessageTool, build_message_tool
from tests.simulator import CallTool, ReplyResult

from .gateway_harness import GatewayHarness
from .nodes import CONTROL, NAMES, STATE, admin, approve, new_home, published, started

TOOLS = tuple(build_message_tool(tool) for tool in MessageTool)
NOTIFICATION = {"title": "Dinner", "body": "is ready"}
NOTIFY = "use nodes " + json.dumps({"action": "notify", "node": "Home", **NOTIFICATION})
JOB = {
    "name": "Dinner",
    "schedule": {"kind": "cron", "expr": "0 7 * * *", "tz": "Europe/Berlin"},
    "sessionTarget": "isolated",
    "delivery": {"mode": "none"},
    "wakeMode": "now",
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("home_announce", {"message": "Dinner is ready.", "area": "Kitchen"}),
    ("home_ask", {"question": "Shall I?", "answers": ["yes|sure"], "device": "Oven"}),
    ("home_notify", {"message": "Dinner is ready.", "person": "Ada"}),
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("protocol", [4], ids=["v4"]),
]


async def test_agent_calls_each_tool(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with started(new_home(harness)) as home:
        home.host.set_tools((STATE, CONTROL, *TOOLS))
        assert await approve(harness, home)
        await home.wait_published({*NAMES, *(tool.name for tool in TOOLS)})
        for name, arguments in CALLS:
            call = json.dumps({"id": name, "args": arguments})
            harness.set_script(CallTool(name, arguments), ReplyResult(""))
            request = RunRequest(f"call tool_call {call} | quote", session_key)
            reply = (await (await client.start_run(request)).result()).text
            assert "marmalade" in reply
        await home.wait_idle()
    told = [(call.tool, call.arguments, call.session_key) for call in home.calls]
    assert told == [(*call, session_key) for call in CALLS]


async def test_arguments_tell_the_tool_where_the_gateway_does_not(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    async with started(new_home(harness)) as home:
        home.host.set_tools((STATE, CONTROL, *TOOLS))
        assert await approve(harness, home)
        await home.wait_published({*NAMES, *(tool.name for tool in TOOLS)})
        for name, arguments in CALLS:
            await client.tools.invoke(name, arguments, session_key)
        await home.wait_idle()
    assert [(call.tool, call.arguments) for call in home.calls] == [
        (None, arguments) for _, arguments in CALLS
    ]


@pytest.mark.parametrize("harness", ["real"], indirect=True)
async def test_run_of_an_administrator_notifies(
    harness: GatewayHarness, session_key: str
) -> None:
    async with published(harness) as home, admin(harness) as operator:
        run = await operator.start_run(RunRequest(f"{NOTIFY} | quote", session_key))
        reply = (await run.result()).text
        await home.wait_idle()
    assert [(call.is_notification, call.arguments) for call in home.calls] == [
        (True, NOTIFICATION)
    ], reply


@pytest.mark.parametrize("harness", ["real"], indirect=True)
async def test_scheduled_job_notifies(harness: GatewayHarness) -> None:
    async with published(harness) as home, admin(harness) as operator:
        job = {**JOB, "payload": {"kind": "agentTurn", "message": f"{NOTIFY} | quote"}}
        job_id = (await operator.request("cron.add", job))["id"]
        await operator.request("cron.run", {"id": job_id, "mode": "force"})
        await home.wait_calls()
        await home.wait_idle()
        await operator.request("cron.remove", {"id": job_id})
    [call] = home.calls
    assert call.is_notification
    assert (call.arguments, call.session_key) == (NOTIFICATION, None)
