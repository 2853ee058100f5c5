"""Recovery of runs after a lost connection."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from ..commands import ChatCommands, RunCommands
from ..exceptions import (
    AgentRunAborted,
    AgentRunError,
    GatewayConnectionError,
    GatewayError,
    RequestTimeoutError,
)
from .transcript import Transcript, read_transcript

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..models import Json
    from ..protocol.connection import Connection
    from .run import AgentRun

# Messages; both Gateways return no more than the last 1,000.
HISTORY_LIMITS: Final = (100, 1000)

# Clawdbot retries a failing model for 20 s, and says `ok` after each attempt; two
# answers are `poll_interval` (1 s) apart.
MAX_OK_ANSWERS: Final = 30

# v4's history has the whole reply only some time after the final response.
MAX_HISTORY_READS: Final = 5

# Seconds by which the clocks may differ from the skew that the hello showed.
CLOCK_TOLERANCE: Final = 5.0

# Seconds that a hello, which tells the uptime, may have been on its way.
UPTIME_TOLERANCE: Final = 0.1

_LOGGER = logging.getLogger(__name__)


async def recover(
    run: AgentRun, connection: Connection, send_again: Callable[[], Awaitable[None]]
) -> None:
    """Recover a run on a new connection.

    A request that the Gateway does not know is sent again with the same key. The
    history is only read, so nothing runs twice. A request that times out is
    repeated.
    """
    _LOGGER.debug("Recovering run %s", run.run_id)
    orphaned = _is_orphaned(run, connection)
    while not run.ended:
        try:
            if run.request.model_run:
                await _recover_model_run(run, connection, send_again)
            else:
                await _recover_run(run, connection, send_again, orphaned=orphaned)
        except RequestTimeoutError:
            continue
        except GatewayConnectionError:
            return
        except GatewayError as err:
            run.fail(AgentRunError("the reply cannot be had", code=err.code))
        else:
            return


async def complete(run: AgentRun, connection: Connection) -> None:
    """Complete an answered run from the history.

    Without one, it ends with the final response, which may be only its last part.
    """
    for _ in range(MAX_HISTORY_READS):
        try:
            transcript = await _read(run, connection)
        except RequestTimeoutError:
            continue
        except GatewayConnectionError:
            return  # the next connection recovers the run
        except GatewayError:
            break
        if transcript.finished:
            run.complete(transcript.texts, transcript.usage)
            return
        if not transcript.known:
            break
        await asyncio.sleep(connection.timing.poll_interval)
    run.finish()


def _is_orphaned(run: AgentRun, connection: Connection) -> bool:
    """Return whether the Gateway restarted meanwhile.

    Its process is younger than the run.
    """
    uptime, now = connection.hello.uptime, asyncio.get_running_loop().time()
    return uptime is not None and uptime + UPTIME_TOLERANCE < now - run.accepted_at


async def _recover_run(
    run: AgentRun,
    connection: Connection,
    send_again: Callable[[], Awaitable[None]],
    *,
    orphaned: bool,
) -> None:
    transcript = await _read_history(run, connection)
    if not transcript.known and not run.accepted:
        await send_again()
        await run.wait_accepted()
        transcript, orphaned = Transcript(known=True), False
    run.accept()
    run.stream.replay_history(transcript.texts)
    await _follow(run, connection, transcript, orphaned=orphaned)


async def _recover_model_run(
    run: AgentRun, connection: Connection, send_again: Callable[[], Awaitable[None]]
) -> None:
    """Recover a model run by repeating the request.

    No history has it. While the run goes on, v4 answers the same key with
    `in_flight`, and with nothing more; at its end with the final response.
    """
    while not run.ended:
        await send_again()
        await _wait(run, connection)
        # Model runs have no events, so none resets the idle deadline.
        run.deadlines.last_event_at = time.monotonic()


async def _read_history(run: AgentRun, connection: Connection) -> Transcript:
    """Read the transcript and start buffering events."""
    while True:
        run.stream.buffer()
        transcript = await _read(run, connection)
        if not run.stream.overflowed:
            return transcript


async def _follow(
    run: AgentRun, connection: Connection, transcript: Transcript, *, orphaned: bool
) -> None:
    """Wait for the end of a run."""
    loop, answers = asyncio.get_running_loop(), 0
    while not run.ended:
        if transcript.finished:
            run.complete(transcript.texts, transcript.usage)
            return
        lost = orphaned or transcript.active is False
        earliest = loop.time() + connection.timing.poll_interval
        answer = await _wait(run, connection)
        answers += answer.get("status") == "ok"
        transcript = await _read(run, connection)
        if transcript.finished or run.ended:
            continue
        if run.stream.has_gap:
            run.stream.replay_history(transcript.texts)
        if error := _error_of(answer, answers, lost=lost):
            run.fail(error)
        await asyncio.sleep(earliest - loop.time())


async def _wait(run: AgentRun, connection: Connection) -> dict[str, Json]:
    """Return the status of a run.

    Without waiting long if text is missing.
    """
    timing = connection.timing
    seconds = timing.wait_timeout
    if run.stream.has_gap:
        seconds = min(timing.poll_interval, seconds)
    timeout = seconds + timing.request_timeout
    runs = RunCommands(connection.request)
    return await runs.wait(run.gateway_id, seconds, timeout)


async def _read(run: AgentRun, connection: Connection) -> Transcript:
    """Return the transcript of a run."""
    asked_at = connection.hello.gateway_time - run.deadlines.age - CLOCK_TOLERANCE
    chat = ChatCommands(connection.request)
    for limit in HISTORY_LIMITS:
        history = await chat.history(run.session_key, limit)
        transcript = read_transcript(
            history, run.request, asked_at, limit, run.gateway_id
        )
        if not transcript.cut:
            break
    return transcript


def _error_of(
    answer: dict[str, Json], answers: int, *, lost: bool
) -> GatewayError | None:
    """Return the error of an unfinished run.

    `lost` is the state before the wait: v4 ends a run some time before its history
    has the whole reply.
    """
    match answer:
        case {"status": "error" | "ok" | "timeout", "stopReason": "rpc"}:
            return AgentRunAborted()
        case {"status": "error"}:
            return AgentRunError("the agent failed", code="UNAVAILABLE")
        case {"status": "ok"} if answers > MAX_OK_ANSWERS:
            return AgentRunError("the run left no reply", code="NO_REPLY")
        case {"status": "timeout"} if lost:
            return AgentRunError("the Gateway has lost the run", code="RUN_LOST")
    return None
