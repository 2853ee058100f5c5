"""Failed and overdue runs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    AgentRunError,
    GatewayError,
    NotConnectedError,
    RunRequest,
    RunTimeoutError,
    Timing,
)
from custom_components.clawd.gateway.runs import aborts
from tests.simulator import GatewaySimulator, Pause, Reply
from tests.unit.clients import TIMING, client_of, running
from tests.unit.run_harness import RunHarness

KEY = "agent:main:x"
LIMIT = "You've hit your session limit · resets 8:30am"
SHORT = replace(TIMING, run_timeout=0.02)


def _final(text: str, usage: dict[str, Any]) -> dict[str, Any]:
    meta = {"agentMeta": {"usage": usage}}
    return {"status": "ok", "result": {"payloads": [{"text": text}], "meta": meta}}


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 0, "output": 0, "total": 0},
        {"input": 10, "output": 0},
        {"total": 0},
    ],
)
async def test_a_text_that_no_model_wrote_is_its_providers_error(
    usage: dict[str, Any],
) -> None:
    harness = RunHarness()
    await harness.start()
    text = f'Error: {{"is_error":true,"api_error_status":429,"result":"{LIMIT}"}}'
    harness.response.set_result(_final(text, usage))
    with pytest.raises(AgentRunError) as caught:
        await harness.run.result()
    assert (caught.value.code, caught.value.reason) == ("PROVIDER_ERROR", LIMIT)
    assert await harness.run.stream.read() == []


@pytest.mark.parametrize(
    "usage", [{}, {"output": 3}, {"total": 3}, {"output": None}, {"output": "0"}]
)
async def test_a_text_that_a_model_may_have_written_is_the_reply(
    usage: dict[str, Any],
) -> None:
    harness = RunHarness()
    await harness.start()
    harness.response.set_result(_final("Error 404 means not found.", usage))
    assert (await harness.run.result()).text == "Error 404 means not found."


async def test_a_text_that_arrived_is_the_reply_whatever_it_cost() -> None:
    harness = RunHarness()
    await harness.start()
    harness.send_text("Hello", itemId="a")
    harness.response.set_result(_final("Hello", {"output": 0}))
    assert (await harness.run.result()).text == "Hello"


async def test_nothing_for_nothing_is_an_empty_reply() -> None:
    harness = RunHarness()
    await harness.start()
    final = _final("", {"output": 0})
    harness.response.set_result(final)
    assert (await harness.run.result()).text == ""


async def _error_of_a_long_run(gateway: GatewaySimulator) -> GatewayError:
    client = client_of(gateway, SHORT)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        with pytest.raises(GatewayError) as caught:
            await run.result()
        assert client.introspection.runs == ()
    return caught.value


async def test_a_run_that_takes_too_long_is_stopped(gateway: GatewaySimulator) -> None:
    gateway.script(Pause())
    error = await _error_of_a_long_run(gateway)
    assert isinstance(error, RunTimeoutError)
    assert (error.code, error.stopped) == ("RUN_TIMEOUT", True)
    assert not gateway.runs.active()


async def test_a_run_that_may_go_on_is_said_to(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aborts, "STOP_TIMEOUT", 0.02)
    gateway.script(Pause())
    gateway.hold("chat.abort")
    gateway.hold("chat.send")
    error = await _error_of_a_long_run(gateway)
    assert isinstance(error, RunTimeoutError)
    assert not error.stopped


async def test_a_reply_that_is_there_before_the_stop_is_told(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("It is "), Pause(), Reply("done."))
    gateway.hold("chat.abort")
    gateway.hold("chat.send")
    client = client_of(gateway, SHORT)
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        stop = "chat.send" if gateway.protocol == 3 else "chat.abort"
        await gateway.wait_for_request(stop)
        assert not run.ended
        gateway.proceed()
        assert (await run.result()).text == "It is done."


async def test_a_run_without_a_connection_is_given_up_at_once(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Pause())
    client = client_of(gateway, replace(SHORT, run_timeout=0.05))
    async with running(client):
        await client.wait_connected()
        run = await client.start_run(RunRequest("Hello", KEY))
        await gateway.suspend()
        with pytest.raises(RunTimeoutError) as caught:
            await run.result()
    assert not caught.value.stopped


async def test_a_second_deadline_ends_the_wait_for_the_stop() -> None:
    timing = Timing(run_timeout=0, recovery_timeout=0)
    harness = RunHarness(timing=timing)
    await harness.start()
    await asyncio.sleep(0)
    assert harness.expired == [harness.run]
    harness.run.mark_disconnected(NotConnectedError("x"))
    with pytest.raises(RunTimeoutError):
        await harness.run.result()
    harness.run.give_up()
    assert harness.expired == [harness.run]
