"""Tests of the permission modes of sessions."""

import json

import pytest

from custom_components.clawd.gateway import (
    GatewayClient,
    MissingScopeError,
    RequestFailedError,
    RunRequest,
)
from tests.simulator import CallTool, ReplyResult

from .clients import new_client, running
from .gateway_harness import GatewayHarness, RealGatewayHarness
from .gateways import Gateway
from .nodes import published

pytestmark = pytest.mark.parametrize("protocol", [4], ids=["v4"])
EXEC = 'call exec {"command":"expr 40 + 2"} | quote'
WRITE = 'call write {"path":"/tmp/clawd-rights","content":"x"} | quote'
HOME = 'call tool_call {"id":"home_state","args":{"action":"lights"}} | quote'


async def reply_of(client: GatewayClient, message: str, session_key: str) -> str:
    """Return the reply of a run."""
    run = await client.start_run(RunRequest(message, session_key))
    return (await run.result()).text


async def test_permission_mode_is_set_and_restored(
    client: GatewayClient, session_key: str
) -> None:
    sessions = client.sessions
    assert await sessions.patch(session_key, permission_mode="guarded") == "guarded"
    described = await sessions.describe(session_key)
    assert described
    assert described.permission_mode == "guarded"
    # As another setting is changed, the mode stays.
    assert await sessions.patch(session_key, model=None) == "guarded"
    assert await sessions.patch(session_key, permission_mode=None) is None
    described = await sessions.describe(session_key)
    assert described
    assert described.permission_mode is None


async def test_more_rights_than_the_gateway_gives_are_refused(
    client: GatewayClient, session_key: str
) -> None:
    with pytest.raises(MissingScopeError):
        await client.sessions.patch(session_key, permission_mode="full")
    with pytest.raises(RequestFailedError):
        await client.sessions.patch(session_key, permission_mode="made-up")


@pytest.mark.parametrize("text", ["/new", " /RESET hello"])
async def test_new_conversation_by_command_is_for_administrators(
    client: GatewayClient, session_key: str, text: str
) -> None:
    with pytest.raises(MissingScopeError):
        await reply_of(client, text, session_key)


@pytest.mark.slow
async def test_mode_outlives_a_restart(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    await client.sessions.patch(session_key, permission_mode="read-only")
    await harness.restart()
    await client.wait_connected()
    described = await client.sessions.describe(session_key)
    assert described
    assert described.permission_mode == "read-only"


@pytest.mark.parametrize(
    ("mode", "refusal"),
    [
        (None, None),
        ("guarded", "missing scope: operator.approvals"),
        ("read-only", "security=deny"),
    ],
)
async def test_commands_of_the_agent(
    gateway: Gateway, session_key: str, mode: str | None, refusal: str | None
) -> None:
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        if mode:
            await client.sessions.patch(session_key, permission_mode=mode)
        reply = await reply_of(client, EXEC, session_key)
    assert (refusal in reply) if refusal else (reply.strip() == "42")


async def test_restored_session_runs_commands(
    gateway: Gateway, session_key: str
) -> None:
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        await client.sessions.patch(session_key, permission_mode="guarded")
        await reply_of(client, EXEC, session_key)
        await client.sessions.patch(session_key, permission_mode=None)
        assert (await reply_of(client, EXEC, session_key)).strip() == "42"


async def test_guarded_agent_writes_only_in_its_workspace(
    gateway: Gateway, session_key: str
) -> None:
    inside = json.dumps({"path": "memory/clawd-rights.md", "content": "x"})
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        await client.sessions.patch(session_key, permission_mode="guarded")
        outside = await reply_of(client, WRITE, session_key)
        own = await reply_of(client, f"call write {inside} | quote", session_key)
    assert "escapes" in outside
    assert "escapes" not in own
    assert "Successfully wrote" in own


@pytest.mark.parametrize("mode", ["guarded", "read-only"])
async def test_tools_of_the_home_work_in_every_mode(
    harness: GatewayHarness, client: GatewayClient, session_key: str, mode: str
) -> None:
    harness.set_script(CallTool("home_state", {"action": "lights"}), ReplyResult(""))
    async with published(harness) as home:
        await client.sessions.patch(session_key, permission_mode=mode)
        reply = await reply_of(client, HOME, session_key)
        await home.wait_idle()
    assert "marmalade lights" in reply
