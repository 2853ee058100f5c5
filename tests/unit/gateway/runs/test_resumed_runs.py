"""Resumed and extended runs."""

import asyncio
from dataclasses import replace
import time

import pytest

from custom_components.clawd.gateway import AgentRunError, RunRequest, RunTimeoutError
from tests.simulator import Drop, GatewaySimulator, Pause, Reply
from tests.unit.clients import TIMING, connected

SESSION = "agent:main:ha-resumed"
MESSAGE = "Read the whole book and tell me its end"
ANSWER = "They live happily ever after."


def _request(started: RunRequest) -> RunRequest:
    """Return the request as it is stored: with the first words only."""
    return replace(started, message="Read the whole book")


async def test_another_client_gets_the_reply_of_a_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(ANSWER[:10]), Pause(), Reply(ANSWER[10:]))
    request, asked_at = RunRequest(MESSAGE, SESSION), time.time()
    async with connected(gateway) as client:
        await client.start_run(request)
        await gateway.wait_paused()
    async with connected(gateway) as client:
        run = client.resume_run(_request(request), asked_at, accepted=True)
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()

        assert (await run.result()).text == ANSWER
        assert client.introspection.runs == ()
    assert len(gateway.received("agent")) == 1


async def test_a_run_that_ended_meanwhile_is_in_the_history(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(ANSWER))
    request, asked_at = RunRequest(MESSAGE, SESSION), time.time()
    async with connected(gateway) as client:
        await (await client.start_run(request)).result()
    async with connected(gateway) as client:
        run = client.resume_run(_request(request), asked_at, accepted=False)

        assert (await run.result()).text == ANSWER


async def test_a_run_that_the_gateway_never_had_is_not_sent_again(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        request = RunRequest(MESSAGE, SESSION)
        run = client.resume_run(request, time.time(), accepted=False)

        with pytest.raises(AgentRunError) as error:
            await run.result()

    assert error.value.code == "RUN_LOST"
    assert gateway.received("agent") == []


async def test_a_run_is_resumed_without_a_connection_and_recovered_with_one(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(ANSWER), Pause())
    request, asked_at = RunRequest(MESSAGE, SESSION), time.time()
    async with connected(gateway) as client:
        await client.start_run(request)
        await gateway.wait_paused()
    async with connected(gateway) as client:
        gateway.hold("connect")
        gateway.drop()
        await gateway.wait_for_request("connect", 3)
        run = client.resume_run(_request(request), asked_at, accepted=True)
        gateway.release("connect")
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()

        assert (await run.result()).text == ANSWER


@pytest.mark.parametrize("protocol", [4])
async def test_the_deadline_of_a_resumed_run_counts_from_the_question(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause())
    request = RunRequest(MESSAGE, SESSION, timeout=60)
    async with connected(gateway) as client:
        await client.start_run(request)
    async with connected(gateway) as client:
        run = client.resume_run(request, time.time() - 61, accepted=True)

        with pytest.raises(RunTimeoutError):
            await run.result()


async def test_a_run_with_more_time_outlives_silence_and_a_lost_connection(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Drop(), Pause(), Reply(ANSWER))
    timing = replace(TIMING, recovery_timeout=0.0)
    request = RunRequest(MESSAGE, SESSION, timeout=60, idle_timeout=60)
    gateway.hold("agent")
    async with connected(gateway, timing) as client:
        starting = asyncio.create_task(client.start_run(request))
        await gateway.wait_for_request("agent")
        gateway.release("agent")
        run = await starting
        run.extend(3600)
        await gateway.wait_for_request("connect", 2)
        gateway.proceed()

        assert (await run.result()).text == ANSWER


@pytest.mark.parametrize("protocol", [4])
async def test_abort_tells_whether_the_gateway_has_stopped_the_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause())
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest(MESSAGE, SESSION))
        other = client.resume_run(RunRequest("?", SESSION), time.time(), accepted=True)

        assert await run.abort()
        run.extend(3600)
        assert not await other.abort()
        assert await run.abort()
