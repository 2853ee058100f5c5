"""Skipped and renumbered events."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    GatewayClient,
    InvalidFrameError,
    RunRequest,
    Statistics,
    Timing,
)
from custom_components.clawd.gateway.runs.runs import AgentRuns
from tests.simulator import GatewaySimulator, Pause, Reply, Tool
from tests.simulator.recordings import Frame
from tests.unit.clients import TIMING, connected
from tests.unit.run_harness import RunHarness

KEY = "agent:main:ha-skipped"
OTHER = "another-id-of-the-run"
WHOLE = "Let me look.\n\nIt is on."
SCRIPT = (Reply("Let me look."), Tool("look"), Reply("It is on."))


@pytest.fixture
def gateway4(gateway: GatewaySimulator) -> GatewaySimulator:
    """Return a Gateway of protocol 4."""
    gateway.script(*SCRIPT)
    return gateway


def rename(payload: Frame) -> None:
    payload["runId"] = OTHER


def stand_still(payload: Frame) -> None:
    payload["seq"] = 1


async def ask(client: GatewayClient) -> AgentRun:
    return await client.start_run(RunRequest("Go", KEY))


async def text_of(run: AgentRun) -> str:
    told = "".join([text async for text in run])
    assert told == (await run.result()).text
    return told


async def test_the_id_that_the_gateway_names_counts(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("agent accepted", rename)
    gateway4.edit("event agent", rename)
    async with connected(gateway4) as client:
        assert await text_of(await ask(client)) == WHOLE
        assert client.statistics.foreign_run_events == 0
        assert client.introspection.runs == ()
        # Its id leads nowhere once it has ended.
        gateway4.broadcast("agent", {"runId": OTHER, "seq": 99, "data": {}})
        await client.request("health")
        assert client.statistics.foreign_run_events == 1
    assert gateway4.received("chat.history") == []


async def test_a_run_is_stopped_under_the_id_that_the_gateway_named(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply("It"), Pause())
    gateway.edit("agent accepted", rename)
    async with connected(gateway) as client:
        run = await ask(client)
        await run.abort()
        with pytest.raises(AgentRunAborted):
            await run.result()
        gateway.proceed()
    if gateway.protocol == 4:
        [abort] = gateway.received("chat.abort")
        assert abort.params["runId"] == OTHER


@pytest.mark.parametrize("named", [None, 7, "", []])
async def test_an_id_that_is_none_is_not_used(
    gateway4: GatewaySimulator, named: object
) -> None:
    gateway4.edit("agent accepted", lambda payload: payload.update(runId=named))
    async with connected(gateway4) as client:
        run = await ask(client)
        assert run.gateway_id == run.run_id
        assert await text_of(run) == WHOLE


@pytest.mark.parametrize("change", [rename, stand_still])
async def test_a_reply_whose_events_are_useless_is_in_the_history(
    gateway4: GatewaySimulator, change: Callable[[Frame], None]
) -> None:
    gateway4.edit("event agent", change)
    async with connected(gateway4) as client:
        assert await text_of(await ask(client)) == WHOLE
        statistics = client.statistics
        assert (statistics.skipped_run_events > 0) is (change is stand_still)
        assert (statistics.foreign_run_events > 0) is (change is rename)
    # v3's final response has the whole reply.
    assert len(gateway4.received("chat.history")) == gateway4.protocol - 3


async def test_the_result_keeps_its_figures_though_the_text_is_fetched(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("event agent", stand_still)
    async with connected(gateway4) as client:
        result = await (await ask(client)).result()
    assert result.model == "mock"
    assert result.duration is not None


async def test_a_gap_of_the_connection_is_made_good(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(*SCRIPT[:1], Pause(), *SCRIPT[1:])
    async with connected(gateway) as client:
        run = await ask(client)
        await gateway.wait_paused()
        gateway.send_raw('{"type":"event","event":"agent","payload":{"runId"')
        gateway.proceed()
        assert await text_of(run) == WHOLE
    assert len(gateway.received("chat.history")) == gateway.protocol - 3


@pytest.mark.parametrize("protocol", [4])
@pytest.mark.parametrize(
    ("change", "reads"),
    [
        (lambda history: history.update(messages=[]), 1),
        (lambda history: history["messages"].pop(), 5),
    ],
)
async def test_a_history_without_the_reply_leaves_the_final_response(
    gateway4: GatewaySimulator, change: Callable[[Any], None], reads: int
) -> None:
    gateway4.edit("event agent", stand_still)
    gateway4.edit("chat.history", change)
    async with connected(gateway4) as client:
        assert await text_of(await ask(client)) == "It is on."
    assert len(gateway4.received("chat.history")) == reads


@pytest.mark.parametrize("protocol", [4])
async def test_a_history_that_is_refused_leaves_the_final_response(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("event agent", stand_still)
    error = {"code": "FORBIDDEN", "message": "no"}
    refusal = {"type": "res", "id": "3", "ok": False, "error": error}
    gateway4.before("chat.history", refusal)
    async with connected(gateway4) as client:
        assert await text_of(await ask(client)) == "It is on."


@pytest.mark.parametrize("protocol", [4])
async def test_a_connection_that_ends_meanwhile_costs_nothing(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("event agent", stand_still)
    gateway4.hold("chat.history")
    async with connected(gateway4) as client:
        run = await ask(client)
        await gateway4.wait_for_request("chat.history")
        gateway4.drop()
        await gateway4.wait_for_request("chat.history", 2)
        gateway4.release("chat.history")
        assert await text_of(run) == WHOLE
    assert client.statistics.drops == 1


@pytest.mark.parametrize("protocol", [4])
async def test_a_history_that_comes_too_late_is_asked_for_again(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("event agent", stand_still)
    gateway4.hold("chat.history")
    async with connected(gateway4, replace(TIMING, request_timeout=0.05)) as client:
        run = await ask(client)
        await gateway4.wait_for_request("chat.history", 2)
        gateway4.release("chat.history")
        assert await text_of(run) == WHOLE


@pytest.mark.parametrize("protocol", [4])
async def test_a_run_that_is_stopped_meanwhile_stays_stopped(
    gateway4: GatewaySimulator,
) -> None:
    gateway4.edit("event agent", stand_still)
    gateway4.edit("chat.history", lambda history: history.update(messages=[]))
    gateway4.hold("chat.history")
    async with connected(gateway4) as client:
        run = await ask(client)
        await gateway4.wait_for_request("chat.history")
        await run.abort()
        gateway4.release("chat.history")
        while "recovery" in client.introspection.tasks.values():
            await client.request("health")
        with pytest.raises(AgentRunAborted):
            await run.result()


async def test_a_response_that_cannot_be_decoded_ends_a_run_that_nobody_can_fetch() -> (
    None
):
    harness = RunHarness()
    await harness.start()
    harness.response.set_exception(InvalidFrameError("x", code="NOT_JSON"))
    with pytest.raises(InvalidFrameError):
        await harness.run.result()


async def test_an_event_that_is_repeated_is_not_skipped() -> None:
    harness = RunHarness()
    await harness.start()
    for seq in (1, 1, 11, 11):
        harness.send_event("assistant", {"text": "Hello", "delta": ""}, seq)
    assert harness.statistics.skipped_run_events == 0
    await harness.end("Hello")


@pytest.mark.parametrize("seq", [1, 10, 0, -1])
async def test_an_event_with_a_number_of_before_is_counted(seq: int) -> None:
    harness = RunHarness()
    await harness.start()
    harness.send_event("assistant", {"text": "Hello", "delta": "Hello"}, 10)
    harness.send_event("assistant", {"text": "Hello you", "delta": " you"}, seq)
    assert harness.statistics.skipped_run_events == 1
    await harness.end("Hello you")


@pytest.mark.parametrize(("seq", "data"), [(None, {}), ("1", {}), (1.5, {}), (1, [])])
async def test_an_event_of_no_known_shape_is_counted(seq: object, data: object) -> None:
    harness = RunHarness()
    await harness.start()
    payload = {"runId": "r", "seq": seq, "stream": "assistant", "data": data}
    harness.deliver(payload)
    assert harness.statistics.skipped_run_events == 1
    await harness.end("Hello")


async def test_a_run_that_expires_while_it_is_fetched_has_its_final_response() -> None:
    expired: list[AgentRun] = []
    runs = AgentRuns(
        Statistics(),
        Timing(run_timeout=0.01),
        AgentRun.abort,
        expired.append,
        on_incomplete=lambda _: True,
    )
    run = runs.open(RunRequest("Go", KEY))
    response: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
    run.attach_response(response)
    payloads = [{"text": "Hello"}]
    response.set_result({"status": "ok", "result": {"payloads": payloads}})
    await asyncio.sleep(0)
    assert run.answered
    assert not run.ended
    assert (await run.result()).text == "Hello"
    assert expired == []
