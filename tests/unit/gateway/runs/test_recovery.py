"""Recovery of runs after connection loss."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    AgentRun,
    AgentRunAborted,
    AgentRunError,
    CannotConnectError,
    GatewayClient,
    InvalidTokenError,
    NotConnectedError,
    RequestTimeoutError,
    RunRequest,
    Timing,
)
from custom_components.clawd.gateway.runs.recovery import UPTIME_TOLERANCE
from tests.simulator import Ack, Drop, GatewaySimulator, Pause, Reply, Tool
from tests.simulator.recordings import Frame
from tests.simulator.script import Step
from tests.unit.clients import TIMING, connected

SESSION = "agent:main:ha-recovery"
FIRST, SECOND, THIRD = "First of all.", "Second thought.", "Third and last."
WHOLE = f"{FIRST}\n\n{SECOND}\n\n{THIRD}"


async def read_reply(run: AgentRun) -> str:
    """Read the reply and compare it with the result."""
    text = "".join([delta async for delta in run])
    assert text == (await run.result()).text
    return text


@asynccontextmanager
async def started_run(
    gateway: GatewaySimulator, timing: Timing = TIMING
) -> AsyncGenerator[tuple[GatewayClient, AgentRun]]:
    """Start a run on a scripted Gateway."""
    async with connected(gateway, timing) as client:
        yield client, await client.start_run(RunRequest("Go", SESSION))


async def drop_and_reconnect(gateway: GatewaySimulator, client: GatewayClient) -> None:
    """Drop the connection and wait for reconnect and recovery."""
    gateway.drop()
    await gateway.wait_for_request("chat.history")
    await client.wait_connected()


@pytest.mark.parametrize("cut_after", range(4))
async def test_drop_at_any_point_loses_no_text(
    gateway: GatewaySimulator, cut_after: int
) -> None:
    steps: list[Step] = [
        Reply(FIRST),
        Tool("look"),
        Reply(SECOND),
        Tool("look"),
        Reply(THIRD[:6]),
        Reply(THIRD[6:]),
    ]
    steps.insert((1, 2, 3, 5)[cut_after], Pause())
    gateway.script(*steps)
    async with started_run(gateway) as (client, run):
        await gateway.wait_paused()
        await drop_and_reconnect(gateway, client)
        gateway.proceed()
        assert await read_reply(run) == WHOLE
        assert client.introspection.runs == ()
    assert len(gateway.received("agent")) == 1


async def test_run_that_ends_while_disconnected_is_recovered(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Tool("look"), Reply(SECOND), Drop(), Reply(" Done."))
    async with started_run(gateway) as (_, run):
        assert await read_reply(run) == f"{FIRST}\n\n{SECOND} Done."


async def test_several_drops_lose_no_text(gateway: GatewaySimulator) -> None:
    gateway.script(
        Reply(FIRST),
        Drop(),
        Pause(),
        Tool("look"),
        Reply(SECOND),
        Drop(),
        Pause(),
        Reply(" End."),
    )
    async with started_run(gateway) as (_, run):
        for connects in (2, 3):
            await gateway.wait_for_request("connect", connects)
            gateway.proceed()
        assert await read_reply(run) == f"{FIRST}\n\n{SECOND} End."


async def test_lost_request_is_resent_with_same_key(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("agent")
    gateway.script(Reply(FIRST))
    async with connected(gateway) as client:
        start = asyncio.create_task(client.start_run(RunRequest("Go", SESSION)))
        first = await gateway.wait_for_request("agent")
        gateway.drop()
        second = await gateway.wait_for_request("agent", 2)
        assert first.params == second.params
        gateway.release("agent")
        assert await read_reply(await start) == FIRST


async def test_resent_run_survives_another_drop(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Pause(), Reply(" End."))
    async with connected(gateway) as client:
        gateway.mute()
        start = asyncio.create_task(client.start_run(RunRequest("Go", SESSION)))
        await gateway.wait_for_request("agent")
        await gateway.crash()
        gateway.unmute()
        await gateway.resume()
        run = await start
        await gateway.wait_for_request("agent.wait", 2)
        gateway.drop()
        await gateway.wait_for_request("agent.wait", 4)
        gateway.proceed()
        assert await read_reply(run) == f"{FIRST} End."


async def test_history_lookup_uses_gateway_clock(
    gateway: GatewaySimulator,
) -> None:
    gateway.clock_shift_ms = -3_600_000
    gateway.script(Reply(FIRST), Drop(), Reply(" End."))
    async with started_run(gateway) as (_, run):
        assert await read_reply(run) == f"{FIRST} End."


async def test_received_request_runs_once(gateway: GatewaySimulator) -> None:
    gateway.script(Drop(), Ack(), Reply(FIRST), Pause(), Reply(" End."))
    async with connected(gateway) as client:
        start = asyncio.create_task(client.start_run(RunRequest("Go", SESSION)))
        await gateway.wait_for_request("chat.history")
        run = await start
        gateway.proceed()
        assert await read_reply(run) == f"{FIRST} End."
    assert len(gateway.runs.by_id) == 1
    resent = gateway.protocol == 3  # whose history shows the message later
    assert len(gateway.received("agent")) == 1 + resent


async def test_rest_of_ended_segment_precedes_next_segment(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(
        Reply(chunks=(FIRST[:6],)),
        Pause(),
        Drop(),
        Reply(FIRST[6:]),
        Pause(),
        Tool("look"),
        Reply(SECOND),
        Pause(),
    )
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Go", SESSION))
        reader = aiter(run)
        text = await anext(reader)
        gateway.proceed()
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()
        while SECOND[:6] not in text:
            text += await anext(reader)
        gateway.proceed()
        text += "".join([delta async for delta in reader])
        assert text == (await run.result()).text == f"{FIRST}\n\n{SECOND}"


async def test_recovery_does_not_wait_for_poll_interval(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Drop(), Pause(), Reply(" End."))
    async with connected(
        gateway, replace(TIMING, wait_timeout=60, poll_interval=60)
    ) as client:
        run = await client.start_run(RunRequest("Go", SESSION))
        await gateway.wait_for_request("agent.wait")
        gateway.proceed()
        assert await read_reply(run) == f"{FIRST} End."


async def test_run_fails_without_reconnect(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Pause())
    timing = replace(TIMING, recovery_timeout=0.05)
    async with started_run(gateway, timing) as (client, run):
        await gateway.suspend()
        with pytest.raises(CannotConnectError):
            await run.result()
        assert client.introspection.runs == ()
        await gateway.resume()
        gateway.proceed()


async def test_run_fails_when_reconnect_is_refused(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Pause())
    async with started_run(gateway) as (client, run):
        await gateway.wait_paused()
        gateway.token = "another"
        gateway.devices.tokens.clear()
        gateway.drop()
        with pytest.raises(InvalidTokenError):
            await run.result()
        assert client.introspection.runs == ()


@pytest.mark.parametrize(
    ("timing", "code"),
    [
        (replace(TIMING, run_idle_timeout=0.05), "RUN_IDLE_TIMEOUT"),
        (replace(TIMING, run_timeout=0.05), "RUN_TIMEOUT"),
    ],
)
async def test_expired_run_is_aborted(
    gateway: GatewaySimulator, timing: Timing, code: str
) -> None:
    gateway.script(Reply(FIRST), Pause())
    async with started_run(gateway, timing) as (client, run):
        with pytest.raises(RequestTimeoutError) as caught:
            await run.result()
        assert caught.value.code == code
        await gateway.wait_until(lambda: not gateway.runs.active())
        assert client.introspection.runs == ()


async def test_abort_while_disconnected_is_sent_after_reconnect(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Pause())
    async with started_run(gateway) as (client, run):
        await gateway.wait_paused()
        await gateway.suspend()
        with pytest.raises(NotConnectedError):
            await client.request("health")
        await run.abort()
        with pytest.raises(AgentRunAborted):
            await run.result()
        await gateway.resume()
        await gateway.wait_until(lambda: not gateway.runs.active())


async def test_cancelled_start_aborts_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.hold("agent")
    async with connected(gateway) as client:
        start = asyncio.create_task(client.start_run(RunRequest("Go", SESSION)))
        await gateway.wait_for_request("agent")
        start.cancel()
        stop = "chat.send" if gateway.protocol == 3 else "chat.abort"
        await gateway.wait_for_request(stop)
        assert client.introspection.runs == ()
        gateway.release("agent")


async def test_run_that_just_ended_is_recovered() -> None:
    reads = 0

    def end(history: Frame) -> None:
        nonlocal reads
        reads += 1
        if reads == 2:
            history["sessionInfo"] |= {"hasActiveRun": False, "activeRunIds": []}
            gateway.proceed()

    async with GatewaySimulator(protocol=4) as gateway:
        gateway.edit("chat.history", end)
        gateway.script(Reply(FIRST), Drop(), Pause(), Reply(" End."))
        async with started_run(gateway) as (_, run):
            assert await read_reply(run) == f"{FIRST} End."


async def test_run_is_lost_when_gateway_process_restarts(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Tool("look"), Reply(SECOND), Pause())
    async with connected(gateway) as client:
        run = await client.start_run(RunRequest("Go", SESSION))
        await gateway.wait_paused()
        await gateway.crash()
        shorter_uptime = {"uptimeMs": -1000 * UPTIME_TOLERANCE}
        gateway.edit("hello-ok", lambda hello: hello["snapshot"].update(shorter_uptime))
        await gateway.resume()
        with pytest.raises(AgentRunError) as caught:
            await run.result()
        assert caught.value.code == "RUN_LOST"


async def test_run_unknown_to_gateway_fails(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST), Pause())
    async with started_run(gateway) as (_, run):
        await gateway.wait_paused()
        gateway.runs.sessions[SESSION].turns.clear()
        gateway.runs.by_id.clear()
        gateway.drop()
        if gateway.protocol == 3:
            await run.abort()
            return
        with pytest.raises(AgentRunError) as caught:
            await run.result()
        assert caught.value.code == "RUN_LOST"


async def test_resent_request_ends_with_run(
    gateway: GatewaySimulator,
) -> None:
    gateway.script(Reply(FIRST))
    async with connected(gateway) as client:
        gateway.hold("agent")
        start = asyncio.create_task(client.start_run(RunRequest("Go", SESSION)))
        await gateway.wait_for_request("agent")
        gateway.drop()
        await gateway.wait_for_request("agent", 2)
        await client.request("health")
        gateway.release("agent")
        assert await read_reply(await start) == FIRST
        assert client.introspection.runs == ()
        assert client.introspection.pending == ()
