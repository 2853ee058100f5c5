"""Runs across clients, and their abort."""

from dataclasses import replace
import time

import pytest

from custom_components.clawd.gateway import (
    AgentRunAborted,
    Credentials,
    Endpoint,
    GatewayClient,
    RunRequest,
)
from tests.simulator import Reply

from .clients import client_at, new_credentials, running
from .gateway_harness import GatewayHarness

COUNT = "count 60 every 50"
COUNTED = Reply(chunks=("0", *(f" {number}" for number in range(1, 60))), delay=0.05)
ANSWER = "It was Michelangelo."


@pytest.fixture
def credentials(harness: GatewayHarness) -> Credentials:
    """Return the credentials of one device, as before and after a restart."""
    return new_credentials(harness.token)


def client_of(harness: GatewayHarness, credentials: Credentials) -> GatewayClient:
    return client_at(Endpoint("127.0.0.1", harness.port), credentials)


def _stored(request: RunRequest) -> RunRequest:
    """Return a request as a hand-off stores it: with its first words."""
    return replace(request, message=request.message[:12], timeout=60, idle_timeout=60)


async def test_another_client_gets_the_reply_of_a_run(
    harness: GatewayHarness, credentials: Credentials, session_key: str
) -> None:
    harness.set_script(COUNTED)
    request, asked_at = RunRequest(COUNT, session_key), time.time()
    async with running(client_of(harness, credentials)) as client:
        await anext(aiter(await client.start_run(request)))
    async with running(client_of(harness, credentials)) as client:
        run = client.resume_run(_stored(request), asked_at, accepted=True)
        assert (await run.result()).text == " ".join(map(str, range(60)))


async def test_a_run_that_ended_meanwhile_is_resumed(
    harness: GatewayHarness, credentials: Credentials, session_key: str
) -> None:
    harness.set_script(Reply(ANSWER))
    request, asked_at = RunRequest(f"say {ANSWER}", session_key), time.time()
    async with running(client_of(harness, credentials)) as client:
        await (await client.start_run(request)).result()
    async with running(client_of(harness, credentials)) as client:
        run = client.resume_run(_stored(request), asked_at, accepted=True)
        assert (await run.result()).text == ANSWER


async def test_a_resumed_run_is_stopped(
    harness: GatewayHarness, credentials: Credentials, session_key: str
) -> None:
    harness.set_script(Reply(chunks=("0", *(f" {n}" for n in range(1, 80))), delay=0.5))
    request, asked_at = RunRequest("count 80 every 500", session_key), time.time()
    async with running(client_of(harness, credentials)) as client:
        await client.start_run(request)
    async with running(client_of(harness, credentials)) as client:
        run = client.resume_run(_stored(request), asked_at, accepted=True)
        started = time.monotonic()
        assert await run.abort()
        # It would take forty seconds to its end.
        assert time.monotonic() - started < 20
        with pytest.raises(AgentRunAborted):
            await run.result()


@pytest.mark.parametrize("protocol", [4], ids=["v4"])
@pytest.mark.parametrize("harness", ["real"], indirect=True)
async def test_the_tasks_of_a_session_are_found(
    client: GatewayClient, session_key: str
) -> None:
    run = await client.start_run(RunRequest("count 40 every 500", session_key))
    await anext(aiter(run))
    tasks = await client.tasks.active()
    await run.abort()
    [task] = [task for task in tasks if task.session_key == session_key]
    assert not task.by_agent
