"""Run of an agent."""

import asyncio
from dataclasses import dataclass, replace
from itertools import groupby
import logging
import time
from typing import TYPE_CHECKING, Final, Self, cast

from ..exceptions import (
    AgentRunAborted,
    AgentRunError,
    ConnectionLostError,
    GatewayError,
    InvalidFrameError,
    NotConnectedError,
    RequestFailedError,
    RunTimeoutError,
)
from ..run_result import ModelUsage, final_texts, read_chat_end, run_result
from ..statistics import RunOutcome
from .deadlines import RunDeadlines
from .failure import provider_message
from .final_response import chat_error, final_error
from .stream import RunStream

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterator,
    )

    from ..models import Json, Payload, Timing
    from ..run_result import RunResult
    from .request import RunRequest
    from .stream import Part

type OnRefused = Callable[[AgentRun, RequestFailedError], bool]
type OnIncomplete = Callable[[AgentRun], bool]

NO_USAGE: Final = ModelUsage()

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Open run without its content.

    Attributes:
        age: in seconds.
        size: characters of the reply so far.
        unread: characters that the reader has not read.
        buffered: events that wait for the history.
        timeout: age in seconds at which it is given up.

    """

    run_id: str
    age: float
    accepted: bool
    ended: bool
    size: int
    unread: int = 0
    buffered: int = 0
    timeout: float = 0.0


class AgentRun:
    """Run of an agent.

    Iterate over it once for the text as it arrives; await `result()` for the whole
    reply. Both raise the error that ended the run.

    Attributes:
        streamed: its events have the reply.
        stream: its events and parts.
        deadlines: its deadlines.
        timeout: seconds from `accepted` to the final response.
        attempts: how often the request was sent.
        gateway_id: id of the run at the Gateway; nearly always its `run_id`.
        accepted_at: time of the event loop's clock; until then, of the request.
        resumed: an earlier client has started it.

    """

    def __init__(  # noqa: PLR0913 - three have a default
        self,
        request: RunRequest,
        timing: Timing,
        *,
        abort: Callable[[AgentRun], Awaitable[bool]],
        on_end: Callable[[AgentRun], None],
        on_expire: Callable[[AgentRun], None],
        on_refused: OnRefused = lambda *_: False,
        on_incomplete: OnIncomplete = lambda _: False,
        on_skipped: Callable[[], object] = lambda: None,
    ) -> None:
        """Initialize a run for `GatewayClient.start_run`.

        `on_refused` returns whether the request is sent again, `on_incomplete`
        whether the reply is fetched from the history.
        """
        self.request = request
        # Read for each event, as an attribute is faster.
        self.streamed = request.streamed
        self.gateway_id = request.run_id
        self.attempts = 0
        timing = _apply_timeouts(timing, request)
        self.timeout = timing.run_timeout
        self._abort = abort
        self._on_end = on_end
        self._on_expire = on_expire
        self._on_refused = on_refused
        self._on_incomplete = on_incomplete
        self.deadlines = RunDeadlines(timing, self._expire)
        self.stream = RunStream(
            request.run_id,
            include_tools=request.include_tools,
            include_segments=request.include_segments,
            on_skipped=on_skipped,
        )
        self._loop = asyncio.get_running_loop()
        self.accepted_at = self._loop.time()
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._result: asyncio.Future[RunResult] = self._loop.create_future()
        self._response: asyncio.Future[Json] | None = None
        self._expired: GatewayError | None = None
        self.resumed = False
        self._final: Payload = {}

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self.request.run_id

    @property
    def session_key(self) -> str:
        """Return the session of the run."""
        return self.request.session_key

    @property
    def accepted(self) -> bool:
        """Return whether the Gateway accepted the run."""
        return self._accepted.done()

    @property
    def ended(self) -> bool:
        """Return whether the run has ended."""
        return self._result.done()

    @property
    def result_now(self) -> RunResult | None:
        """Return the result, if already successful."""
        if not self.ended or self._result.exception():
            return None
        return self._result.result()

    @property
    def timer(self) -> asyncio.TimerHandle:
        """Return the timer of the deadlines."""
        return self.deadlines.timer

    @property
    def outcome(self) -> RunOutcome:
        """Return the outcome of an ended run."""
        error = cast("GatewayError | None", self._result.exception())
        kind = type(error).__name__ if error else None
        return RunOutcome(
            time.time(),
            (error.code or kind or "") if error else "ok",
            kind,
            self.accepted and not self._accepted.exception(),
            self.deadlines.age,
            self.attempts,
        )

    @property
    def answered(self) -> bool:
        """Return whether the final response has come."""
        return bool(self._final)

    @property
    def info(self) -> RunInfo:
        """Return the state of the run.

        Without its content.
        """
        return RunInfo(
            self.run_id,
            self.deadlines.age,
            self.accepted,
            self.ended,
            len(self.stream.text),
            self.stream.unread_size,
            self.stream.buffered,
            self.timeout,
        )

    async def __aiter__(self) -> AsyncIterator[str]:
        """Iterate over the text as it arrives.

        Raises the run's error.
        """
        # Not a generator of the stream inside of this one: it would cost each read.
        stream = self.stream
        while unread := await stream.read():
            if text := stream.join(unread):
                yield text
        await self.result()

    async def parts(self) -> AsyncGenerator[Part]:
        """Iterate over text and tool calls.

        Raises the run's error.
        """
        while unread := await self.stream.read():
            for part in _joined(unread):
                yield part
        await self.result()

    async def timed_parts(
        self, until: Callable[[], float | None]
    ) -> AsyncIterator[Part | None]:
        """Iterate over parts, with None for delays.

        `until` returns the time of the event loop's clock until which the next part
        is waited for.
        """
        stream = self.stream
        while not stream.exhausted:
            unread = await stream.read(until())
            for part in _joined(unread):
                yield part
            if not (unread or stream.exhausted):
                yield None
        await self.result()

    async def result(self) -> RunResult:
        """Wait for the result.

        Raises:
            AgentRunError: the agent failed.
            AgentRunAborted: the run was stopped.
            GatewayConnectionError: the connection ended or a deadline passed.

        """
        await asyncio.wait([self._result])
        return self._result.result()

    async def abort(self) -> bool:
        """Stop the run locally and remotely.

        Return whether the Gateway has stopped it; without a connection, it is told
        later.

        Raises:
            GatewayError: the Gateway did not answer; the run has ended here.

        """
        if not self.ended:
            self.fail(AgentRunAborted())
            return await self._abort(self)
        return True

    async def wait_accepted(self) -> Self:
        """Wait until the Gateway accepts the run.

        Raises:
            GatewayError: the Gateway refused it, or the connection ended.

        """
        await asyncio.wait([self._accepted])
        self._accepted.result()
        return self

    async def wait_ended(self) -> None:
        """Wait until the run has ended, however."""
        await asyncio.wait([self._result])

    def extend(self, seconds: float) -> None:
        """Extend the deadlines to `seconds` after the start."""
        if not self.ended:
            self.timeout = seconds
            self.deadlines.extend(seconds)

    def resume(self, asked_at: float, *, accepted: bool) -> None:
        """Continue a run of an earlier client.

        `asked_at` is in seconds since 1970.
        """
        self.resumed = True
        if accepted:
            self.accept()
        # The clock may have been set back since.
        age = max(time.time() - asked_at, 0.0)
        self.accepted_at -= age
        self.deadlines.age_by(age)
        # The history has the text so far.
        self.stream.mark_disconnected()

    def give_up(self) -> None:
        """End an expired run without stopping it.

        It may go on at the Gateway.
        """
        if self._expired and not self.ended:
            self.fail(self._expired)

    def attach_response(self, response: asyncio.Future[Json]) -> None:
        """Attach the future of the final response."""
        if self._response:
            self._response.cancel()
        self._response = response
        self.attempts += 1
        response.add_done_callback(self._handle_response)

    def attach_start(self, response: asyncio.Future[Json]) -> None:
        """Attach the response to `chat.send`.

        A `chat` event ends the run.
        """
        self._response = response
        self.attempts += 1
        response.add_done_callback(self._handle_start)

    def handle_chat(self, payload: Payload) -> None:
        """Process a `chat` event."""
        # The end of a fast run is read together with the response to its request.
        if payload.get("state") == "final":
            self._conclude(read_chat_end(payload))
        elif error := chat_error(payload):
            self.accept()
            self.fail(error)

    def accept(self) -> None:
        """Mark the run as accepted."""
        if not self.accepted:
            _LOGGER.debug("Run %s accepted", self.run_id)
            self._accepted.set_result(None)
            self.accepted_at = self._loop.time()

    def mark_disconnected(self, error: GatewayError) -> None:
        """Mark the run as disconnected.

        It ends with `error` unless the connection returns in time.
        """
        self.stream.mark_disconnected()
        self.deadlines.mark_disconnected(error)

    def complete(self, texts: tuple[str, ...], usage: ModelUsage = NO_USAGE) -> None:
        """End the run with all segments of the reply and its usage, from the history.

        The usage of the final response, if there was one, takes precedence.
        """
        if self.ended:
            return
        self.stream.complete(texts)
        self._succeed(self._final, usage)

    def finish(self) -> None:
        """Finish the run with its final response."""
        if self.ended:
            return
        self.stream.finish(final_texts(self._final))
        self._succeed(self._final)

    def fail(self, error: GatewayError) -> None:
        """Fail the run.

        If answered already, it ends with the answer.
        """
        if self.answered and not isinstance(error, AgentRunAborted):
            # Only the earlier parts of the reply cannot be fetched.
            self.finish()
            return
        if isinstance(self._expired, RunTimeoutError) and isinstance(
            error, AgentRunAborted
        ):
            self._expired.stopped = True
            error = self._expired
        if not self.ended:
            _LOGGER.debug("Run %s ended: %s", self.run_id, error.code)
        for future in (self._accepted, self._result):
            if not future.done():
                future.set_exception(error)
                # Mark it as retrieved: there may be no reader.
                future.exception()
        self._end()

    def _handle_response(self, response: asyncio.Future[Json]) -> None:
        self._handle(response, self._conclude)

    def _handle_start(self, response: asyncio.Future[Json]) -> None:
        self._handle(response, lambda _: self.accept())

    def _handle(
        self, response: asyncio.Future[Json], conclude: Callable[[Json], None]
    ) -> None:
        if response.cancelled():
            return
        try:
            conclude(response.result())
        except ConnectionLostError, NotConnectedError:
            return
        except InvalidFrameError as err:
            # The Gateway has answered, and may have the reply in its history.
            if not self._on_incomplete(self):
                self.fail(err)
        except RequestFailedError as err:
            if self.accepted or not self._on_refused(self, err):
                self.fail(self._as_run_error(err))
        except GatewayError as err:
            self.fail(err)

    def _conclude(self, payload: Json) -> None:
        self.accept()
        if self.ended:
            return
        if error := final_error(payload, has_text=bool(self.stream.text)):
            self.fail(error)
            return
        # v4's final response has the last segment only.
        self._final = payload
        incomplete = self.streamed and self.stream.incomplete
        if not (incomplete and self._on_incomplete(self)):
            self.finish()

    def _succeed(self, payload: Payload, usage: ModelUsage = NO_USAGE) -> None:
        _LOGGER.debug("Run %s ended: ok", self.run_id)
        self.stream.close_tools()
        stream = self.stream
        result = run_result(self.run_id, payload, stream.text, stream.media)
        self._result.set_result(result.with_usage(usage))
        self._end()

    def _expire(self, error: GatewayError) -> None:
        if self.answered:
            self.finish()
            return
        if self._expired:
            self.give_up()
            return
        self._expired = error
        if not isinstance(error, RunTimeoutError):
            # Without a connection, the run's fate is unknown.
            self.fail(error)
        self._on_expire(self)

    def _as_run_error(self, error: RequestFailedError) -> RequestFailedError:
        if not self.accepted:
            return error
        reason = provider_message(error.reason)
        return AgentRunError("the agent failed", code=error.code, reason=reason)

    def _end(self) -> None:
        self.deadlines.stop()
        self.stream.close()
        if self._response:
            self._response.cancel()
        self._on_end(self)


def _joined(parts: list[Part]) -> Iterator[Part]:
    """Yield parts with adjacent texts joined."""
    for kind, group in groupby(parts, type):
        if kind is str:
            yield "".join(map(str, group))
        else:
            yield from group


def _apply_timeouts(timing: Timing, request: RunRequest) -> Timing:
    """Return the timing with a request's timeouts."""
    total, idle = request.timeout, request.idle_timeout
    if request.model_run:
        # It has no events.
        idle = timing.run_timeout if total is None else total
    return replace(
        timing,
        run_timeout=timing.run_timeout if total is None else total,
        run_idle_timeout=timing.run_idle_timeout if idle is None else idle,
    )
