"""Retry of refused runs."""

import asyncio
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    GatewayError,
    RequestFailedError,
    RunRequest,
    Timing,
)
from tests.simulator import GatewaySimulator, Refuse, Reply
from tests.unit.clients import TIMING, client_of, connected, running

KEY = "agent:main:ha-resend"
NOT_YET = Refuse("Agent database open was revoked", "UNAVAILABLE")


def refuse(gateway: GatewaySimulator, times: int) -> None:
    for _ in range(times):
        gateway.script_once(NOT_YET)
    gateway.script(Reply("It is on."))


async def test_a_question_that_comes_too_early_is_asked_again(
    gateway: GatewaySimulator,
) -> None:
    refuse(gateway, 5)
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Go", KEY))
        assert (await run.result()).text == "It is on."
        [outcome] = client.introspection.run_outcomes
        assert (outcome.code, outcome.attempts) == ("ok", 6)
        assert client.statistics.errors == {("agent", "UNAVAILABLE"): 5}
        assert (client.statistics.runs_started, client.statistics.runs_ended) == (1, 1)
    keys = [request.params["idempotencyKey"] for request in gateway.received("agent")]
    assert keys == [run.run_id] * 6


async def test_the_delay_of_the_gateway_is_an_order(gateway: GatewaySimulator) -> None:
    refuse(gateway, 0)
    error = {"code": "BUSY", "message": "x", "retryable": True, "retryAfterMs": 60_000}
    gateway.before("agent", {"type": "res", "id": "2", "ok": False, "error": error})
    async with connected(gateway, replace(TIMING, request_timeout=59)) as client:
        # That is too long for a question.
        with pytest.raises(RequestFailedError) as caught:
            await client.start_run(RunRequest("Go", KEY))
    assert caught.value.code == "BUSY"


@pytest.mark.parametrize("code", ["INVALID_REQUEST", "FORBIDDEN"])
async def test_a_question_that_is_refused_for_good_is_not_asked_again(
    gateway: GatewaySimulator, code: str
) -> None:
    gateway.script(Refuse("no", code))
    async with connected(gateway) as client:
        with pytest.raises(RequestFailedError):
            await client.start_run(RunRequest("Go", KEY))
    assert len(gateway.received("agent")) == 1


async def test_a_question_is_not_asked_for_ever(gateway: GatewaySimulator) -> None:
    gateway.script(NOT_YET)
    timing = replace(TIMING, request_timeout=0.05)
    async with connected(gateway, timing) as client:
        with pytest.raises(GatewayError):
            await client.start_run(RunRequest("Go", KEY))
        assert client.introspection.runs == ()
    # Each delay is twice the one before.
    assert len(gateway.received("agent")) < 10


async def test_a_question_on_its_way_to_be_asked_again_outlives_the_connection(
    gateway: GatewaySimulator,
) -> None:
    refuse(gateway, 1)
    client = client_of(gateway, replace(TIMING, resend_delay=0.02))
    async with running(client):
        await client.wait_connected()
        asking = asyncio.create_task(client.start_run(RunRequest("Go", KEY)))
        await gateway.wait_for_request("agent")
        await client.request("health")
        gateway.drop()
        assert (await (await asking).result()).text == "It is on."
        # The time of the other way passes without effect.
        while "recovery resend" in client.introspection.tasks.values():
            await client.request("health")
    assert len(gateway.received("agent")) == 2


async def test_a_question_that_is_given_up_is_not_asked_again(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(NOT_YET)
    timing = replace(TIMING, resend_delay=0.02, request_timeout=60)
    async with connected(gateway, timing) as client:
        asking = asyncio.create_task(client.start_run(RunRequest("Go", KEY)))
        await gateway.wait_for_request("agent")
        await client.request("health")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        while "recovery resend" in client.introspection.tasks.values():
            await client.request("health")
    assert len(gateway.received("agent")) == 1


def test_the_time_for_it_is_that_of_a_request() -> None:
    timing = Timing()
    # 0.5 + 1 + 2 + 4 + 8 s: a Gateway has five more chances within 30 s.
    assert sum(timing.resend_delay * 2**n for n in range(5)) < timing.request_timeout
