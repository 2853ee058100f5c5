"""Completion of answered runs."""

import asyncio
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    GatewayClient,
    RunRequest,
)
from custom_components.clawd.gateway.runs import recovery
from tests.simulator import GatewaySimulator, Reply, Tool
from tests.simulator.recordings import Frame
from tests.unit.clients import connected

KEY = "agent:main:ha-answered"
SCRIPT = (Reply("Let me look."), Tool("look"), Reply("It is on."))
LAST = "It is on."
pytestmark = pytest.mark.parametrize("protocol", [4])


def stand_still(payload: Frame) -> None:
    payload["seq"] = 1


async def answered(client: GatewayClient, gateway: GatewaySimulator) -> AgentRun:
    """Return an answered run before its reply."""
    gateway.script(*SCRIPT)
    gateway.edit("event agent", stand_still)
    gateway.hold("chat.history")
    run = await client.start_run(RunRequest("Go", KEY))
    while not run.answered:  # noqa: ASYNC110
        await asyncio.sleep(0)
    return run


async def test_a_history_that_is_gone_after_a_reconnect_costs_no_reply(
    gateway: GatewaySimulator,
) -> None:
    async with connected(gateway) as client:
        run = await answered(client, gateway)
        gateway.edit("chat.history", lambda history: history.update(messages=[]))
        gateway.edit("agent.wait", lambda answer: answer.update(status="error"))
        await client.interrupt()
        gateway.release("chat.history")
        assert (await run.result()).text == LAST


async def test_the_end_of_the_client_costs_no_reply(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        run = await answered(client, gateway)
    assert (await run.result()).text == LAST


async def test_a_fault_of_the_fetch_costs_no_reply(
    gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:  # noqa: ANN401
        raise ValueError

    monkeypatch.setattr(recovery, "read_transcript", fail)
    async with connected(gateway) as client:
        run = await answered(client, gateway)
        gateway.release("chat.history")
        async with asyncio.timeout(1):
            assert (await run.result()).text == LAST
        assert client.statistics.task_failures == {"recovery": 1}


async def test_an_answered_run_can_be_stopped(gateway: GatewaySimulator) -> None:
    async with connected(gateway) as client:
        run = await answered(client, gateway)
        await run.abort()
        with pytest.raises(AgentRunAborted):
            await run.result()
        unread = run.info.unread
        gateway.release("chat.history")
        await client.request("health")
        assert run.info.unread == unread
