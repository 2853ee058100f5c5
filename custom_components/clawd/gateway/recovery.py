"""Bringing home the reply of a run whose connection ended."""

import asyncio
from typing import TYPE_CHECKING, Final

from .exceptions import (
    AgentRunAborted,
    AgentRunError,
    GatewayConnectionError,
    GatewayError,
    RequestTimeoutError,
)
from .transcript import Transcript, read_transcript

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .agent_run import AgentRun
    from .connection import Connection
    from .frames import Json

# Messages; both Gateways give no more than the last 1,000.
HISTORY_LIMITS: Final = (100, 1000)

# Clawdbot retries a failing model for 20 s, and a pause is a second.
MOST_ANSWERS: Final = 30

# The clocks of both machines may differ by this much from what the hello told.
CLOCK_TOLERANCE: Final = 5.0

# How long the hello may have been on its way, which tells the uptime.
UPTIME_TOLERANCE: Final = 0.1


async def recover(
    run: AgentRun, connection: Connection, send_again: Callable[[], Awaitable[None]]
) -> None:
    """Catch up with a run on a new connection and stay with it to its end.

    A question that the Gateway does not know is sent again, with the same key.
    The history is only read, so that nothing can run twice. What the Gateway
    does not answer in time is asked for again.
    """
    orphaned = _is_orphaned(run, connection)
    while not run.ended:
        try:
            await _bring_home(run, connection, send_again, orphaned=orphaned)
        except RequestTimeoutError:
            continue
        except GatewayConnectionError:
            return
        except GatewayError as err:
            run.fail(AgentRunError("the reply cannot be had", code=err.code))
        else:
            return


def _is_orphaned(run: AgentRun, connection: Connection) -> bool:
    """Return whether the process that greeted just now is younger than a run."""
    uptime, now = connection.hello.uptime, asyncio.get_running_loop().time()
    return uptime is not None and uptime + UPTIME_TOLERANCE < now - run.taken_at


async def _bring_home(
    run: AgentRun,
    connection: Connection,
    send_again: Callable[[], Awaitable[None]],
    *,
    orphaned: bool,
) -> None:
    transcript = await _read_until_now(run, connection)
    if not transcript.known and not run.accepted:
        await send_again()
        await run.wait_accepted()
        transcript, orphaned = Transcript(known=True), False
    run.accept()
    run.catch_up(transcript.texts)
    await _follow(run, connection, transcript, orphaned=orphaned)


async def _read_until_now(run: AgentRun, connection: Connection) -> Transcript:
    """Return a transcript behind which no event is missing."""
    while True:
        run.hold()
        transcript = await _read(run, connection)
        if not run.overflowed:
            return transcript


async def _follow(
    run: AgentRun, connection: Connection, transcript: Transcript, *, orphaned: bool
) -> None:
    """Wait for the end of a run, however often that takes."""
    loop, answers = asyncio.get_running_loop(), 0
    while not run.ended:
        if transcript.finished:
            run.complete(transcript.texts)
            return
        lost = orphaned or transcript.active is False
        earliest = loop.time() + connection.timing.pause
        answer = await _wait(run, connection)
        answers += answer.get("status") == "ok"
        transcript = await _read(run, connection)
        if transcript.finished or run.ended:
            continue
        if run.torn:
            run.catch_up(transcript.texts)
        if error := _verdict(answer, answers, lost=lost):
            run.fail(error)
        await asyncio.sleep(earliest - loop.time())


async def _wait(run: AgentRun, connection: Connection) -> dict[str, Json]:
    """Return how the Gateway says that a run stands; soon, if text is missing."""
    timing = connection.timing
    wait = min(timing.pause, timing.wait) if run.torn else timing.wait
    params = {"runId": run.run_id, "timeoutMs": round(wait * 1000)}
    answer = await connection.request("agent.wait", params, wait + timing.request)
    return answer if isinstance(answer, dict) else {}


async def _read(run: AgentRun, connection: Connection) -> Transcript:
    """Return what the history has of a run; all of it, if its end does not do."""
    asked_at = run.asked_at - connection.hello.clock_skew - CLOCK_TOLERANCE
    for limit in HISTORY_LIMITS:
        params = {"sessionKey": run.session_key, "limit": limit}
        history = await connection.request("chat.history", params)
        transcript = read_transcript(history, run.run_id, run.message, asked_at, limit)
        if not transcript.cut:
            break
    return transcript


def _verdict(
    answer: dict[str, Json], answers: int, *, lost: bool
) -> GatewayError | None:
    """Return the error with which a run ended that left no finished reply.

    v3 says `ok` after each attempt of the model, so it may say it again and again.
    `lost` is how the run stood before it was waited for: v4 ends it some time
    before its history has the whole reply.
    """
    match answer:
        case {"status": "error" | "ok" | "timeout", "stopReason": "rpc"}:
            return AgentRunAborted()
        case {"status": "error"}:
            return AgentRunError("the agent failed", code="UNAVAILABLE")
        case {"status": "ok"} if answers > MOST_ANSWERS:
            return AgentRunError("the run left no reply", code="NO_REPLY")
        case {"status": "timeout"} if lost:
            return AgentRunError("the Gateway has lost the run", code="RUN_LOST")
    return None
