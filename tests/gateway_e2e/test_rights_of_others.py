"""Ways of a restricted session to have another one work for it."""

import json
from pathlib import Path

import pytest

from custom_components.clawd.gateway import RunRequest

from .clients import new_client, running
from .gateway_harness import RealGatewayHarness
from .gateways import Gateway
from .test_rights import reply_of
from .test_unasked import Follower

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("protocol", [4], ids=["v4"]),
]


def quoted(argument: str, script: str, **more: object) -> str:
    """Return arguments of a tool with a script, in a script."""
    # Its own steps are not those of the script around it.
    return json.dumps({argument: script, **more}).replace(" | ", " \\u007c ")


def command(file: Path) -> str:
    """Return a script that makes a file on the Gateway's machine."""
    return f"call exec {json.dumps({'command': f'touch {file}'})} | say Done."


@pytest.mark.parametrize("mode", [None, "guarded"])
async def test_a_sub_agent_has_no_more_rights(
    gateway: Gateway, session_key: str, tmp_path: Path, mode: str | None
) -> None:
    file = tmp_path / "made"
    task = quoted("task", command(file))
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        if mode:
            await client.sessions.patch(session_key, permission_mode=mode)
        follower = Follower(":subagent:")
        unfollow = client.follow_runs(follower)
        request = RunRequest(f"use sessions_spawn {task} | say Started.", session_key)
        run = await client.start_run(request)
        assert (await run.result()).text.endswith("Started.")
        child = await follower.runs.get()
        unfollow()
        described = await client.sessions.describe(child.session_key)
    assert described
    assert described.permission_mode == mode
    assert file.exists() is (mode is None)


async def test_another_session_does_not_run_it(
    gateway: Gateway, session_key: str, tmp_path: Path
) -> None:
    # With the default of OpenClaw 2026.9.6, `tools.sessions.visibility: all`, it does.
    file, other = tmp_path / "made", f"{session_key}-other"
    arguments = quoted("message", command(file), sessionKey=other, timeoutSeconds=30)
    send = f"use sessions_send {arguments} | quote"
    async with running(new_client(RealGatewayHarness(gateway))) as client:
        await reply_of(client, "say hi", other)
        await client.sessions.patch(session_key, permission_mode="guarded")
        reply = await reply_of(client, send, session_key)
        policy = await client.tools.policy()
    assert "visibility is restricted" in reply
    assert not file.exists()
    assert policy.session_visibility == "tree"
