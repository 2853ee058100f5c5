"""Search and deletion of task sessions."""

import asyncio

import pytest

from custom_components.clawd.gateway import GatewayClient, RunRequest
from tests.simulator import Pause, Reply

from .gateway_harness import GatewayHarness


@pytest.fixture(params=[4], ids=["v4"])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return the protocol that can search."""
    return int(request.param)


async def test_sessions_are_found_by_their_names_until_they_are_deleted(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    text = session_key.rpartition(":")[2]
    assert await client.sessions.search(text) == ()
    harness.set_script(Reply("Hello."))
    await (await client.start_run(RunRequest("say Hello.", session_key))).result()
    [found] = await client.sessions.search(text)
    assert found.key == session_key
    assert 0 <= found.age < 60

    session = await client.sessions.describe(session_key)
    assert session
    archive = {"archived": True, "expectedSessionId": session.session_id}
    await client.request("sessions.patch", {"key": session_key, **archive})
    [found] = await client.sessions.search(text)
    assert found.key == session_key

    assert await client.sessions.delete(session_key)
    assert await client.sessions.search(text) == ()


async def test_a_session_that_only_has_settings_is_found(
    client: GatewayClient, session_key: str
) -> None:
    text = session_key.rpartition(":")[2]
    await client.sessions.patch(session_key, permission_mode="read-only")
    [found] = await client.sessions.search(text)
    assert 0 <= found.age < 60
    assert await client.sessions.delete(session_key)


async def test_a_session_at_work_is_found_and_deleted_with_its_run(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    text = session_key.rpartition(":")[2]
    harness.set_script(Pause(), Reply("never"))
    run = await client.start_run(RunRequest("hang", session_key))
    [found] = await client.sessions.search(text)
    assert found.key == session_key
    await run.abort()
    await run.wait_ended()
    assert await client.sessions.delete(session_key)
    assert await client.sessions.search(text) == ()


async def test_a_run_that_is_not_accepted_yet_is_stopped(
    harness: GatewayHarness, client: GatewayClient, session_key: str
) -> None:
    harness.set_script(Pause(), Reply("never"))
    run_id = session_key.rpartition("-")[2]
    request = RunRequest("hang", session_key, run_id=run_id)
    start = asyncio.create_task(client.start_run(request))
    while not client.introspection.pending:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert client.statistics.late_responses == 0

    # The client has asked for it before: there is no run that could be stopped.
    abort = {"sessionKey": session_key, "runId": run_id}
    assert not (await client.request("chat.abort", abort))["aborted"]
    await client.sessions.delete(session_key)
