"""Unsolicited replies: sub-agents and scheduled jobs."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from custom_components.clawd.gateway import (
    COMPLETION_PREFIX,
    Event,
    ForeignRun,
    GatewayClient,
    RunRequest,
)
from tests.simulator import Reply, Spawn

from .gateway_harness import GatewayHarness
from .nodes import admin

pytestmark = pytest.mark.slow

TASK = '{"task":"say the child is done","label":"look up"}'
SPAWN = {
    3: f"call sessions_spawn {TASK} | say I started it.",
    4: f"use sessions_spawn {TASK} | say I started it.",
}
JOB = {
    "name": "Good morning",
    "schedule": {"kind": "cron", "expr": "0 7 * * *", "tz": "Europe/Berlin"},
    "wakeMode": "now",
    "payload": {"kind": "agentTurn", "message": "say good morning"},
    "delivery": {"mode": "none"},
}


class Follower:
    """Follower of some sessions."""

    def __init__(self, *parts: str) -> None:
        """Follow sessions by parts of their keys."""
        self._parts = parts
        self.runs: asyncio.Queue[ForeignRun] = asyncio.Queue()

    def is_followed(self, session_key: str) -> bool:
        """Return whether a session is followed."""
        return any(part in session_key for part in self._parts)

    def run_ended(self, run: ForeignRun) -> None:
        """Keep a run."""
        self.runs.put_nowait(run)


@pytest.fixture
async def follower(client: GatewayClient, session_key: str) -> AsyncGenerator[Follower]:
    """Follow the session of the test, and those of sub-agents."""
    follower = Follower(session_key, ":subagent:")
    unfollow = client.follow_runs(follower)
    yield follower
    unfollow()


async def test_the_end_of_a_sub_agent_comes_in_the_session_that_started_it(
    harness: GatewayHarness,
    client: GatewayClient,
    session_key: str,
    follower: Follower,
) -> None:
    harness.set_script(Spawn(), Reply("I started it."))
    run = await client.start_run(RunRequest(SPAWN[harness.protocol], session_key))
    result = await run.result()
    assert result.text.endswith("I started it.")

    child, completion = await follower.runs.get(), await follower.runs.get()
    assert child.text == "the child is done"
    assert completion.session_key == session_key
    assert completion.text
    children = await client.sessions.spawned_by(session_key)
    assert child.session_key in children
    if harness.protocol == 3:
        assert (result.completions, len(completion.run_id)) == ((), 36)
        return
    expected = f"{COMPLETION_PREFIX}{child.session_key}:{child.run_id}"
    assert result.completions == (expected,)
    assert completion.run_id.removesuffix(":agent-loop") == expected
    replies = await client.fetch_replies(session_key)
    assert replies[completion.run_id] == completion.text


@pytest.mark.parametrize("protocol", [4], ids=["v4"])
@pytest.mark.parametrize("harness", ["real"], indirect=True)
async def test_a_scheduled_job_in_our_session_tells_what_it_said(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    unsubscribe = client.subscribe("cron", events.put_nowait)
    run = await client.start_run(RunRequest("say hi", session_key))
    await run.result()
    async with admin(harness) as operator:
        target = {"sessionTarget": f"session:{session_key}"}
        job = await operator.request("cron.add", {**JOB, **target})
        await operator.request("cron.run", {"id": job["id"], "mode": "force"})
        while (event := await events.get()).payload["action"] != "finished":
            pass
        await operator.request("cron.remove", {"id": job["id"]})
    unsubscribe()

    said = {key: event.payload[key] for key in ("status", "summary", "sessionKey")}
    assert said == {
        "status": "ok",
        "summary": "good morning",
        "sessionKey": session_key,
    }
    assert isinstance(event.payload["runAtMs"], int)
    assert event.payload.get("delivered") is not True
