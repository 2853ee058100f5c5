"""A run of an agent: streamed text and a final result."""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import groupby
import time
from typing import TYPE_CHECKING, Final, Self, cast

from .exceptions import (
    AgentRunAborted,
    AgentRunError,
    ConnectionLostError,
    GatewayError,
    NotConnectedError,
    RequestFailedError,
)
from .models import reply_texts, run_result
from .reply_text import ReplyText
from .run_clock import RunClock
from .tool_steps import ToolCall, ToolResult, ToolSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .frames import Json, Payload
    from .models import RunResult, Timing

# An event of a long reply has 30 kB; a history is read in a second.
MOST_HELD: Final = 1000

type Part = str | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class RunInfo:
    """An open run without its content.

    Attributes:
        age: in seconds.
        size: characters of the reply so far.
        unread: characters that nobody has read yet.
        held: events that wait until it is known what is missing.

    """

    run_id: str
    age: float
    accepted: bool
    ended: bool
    size: int
    unread: int = 0
    held: int = 0


class AgentRun:
    """One question to an agent and its reply.

    Iterate over it for the text as it arrives, once; await `result()` for the
    whole. Both raise the error that ended the run. `taken_at` is when the Gateway
    took it, or else was asked to, in seconds of the event loop's clock.
    """

    def __init__(
        self,
        params: Payload,
        timing: Timing,
        *,
        abort: Callable[[AgentRun], Awaitable[None]],
        on_end: Callable[[AgentRun], None],
        on_expire: Callable[[AgentRun], None],
    ) -> None:
        """Wait for events; made by `GatewayClient.start_run`.

        `params` are those of the request `agent`.
        """
        self.params = params
        self.asked_at = time.time()
        self.deadline = timing.run
        self._abort = abort
        self._on_end = on_end
        self._on_expire = on_expire
        self._clock = RunClock(timing, self._expire)
        self._loop = asyncio.get_running_loop()
        self.taken_at = self._loop.time()
        self._held: deque[Payload] | None = None
        self._torn = False
        self._reply = ReplyText()
        self._steps: ToolSteps | None = None
        self._unread: list[Part] = []
        self._reader: asyncio.Future[None] | None = None
        self._last_seq = 0
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._result: asyncio.Future[RunResult] = self._loop.create_future()
        self._response: asyncio.Future[Json] | None = None

    @property
    def run_id(self) -> str:
        """Return the id of the run, which is the key of its request."""
        return str(self.params["idempotencyKey"])

    @property
    def session_key(self) -> str:
        """Return the session in which the run takes place."""
        return str(self.params["sessionKey"])

    @property
    def message(self) -> str:
        """Return the question."""
        return str(self.params["message"])

    @property
    def accepted(self) -> bool:
        """Return whether the Gateway has taken the run."""
        return self._accepted.done()

    @property
    def ended(self) -> bool:
        """Return whether the run has ended, well or not."""
        return self._result.done()

    @property
    def timer(self) -> asyncio.TimerHandle:
        """Return the timer of its deadlines."""
        return self._clock.timer

    @property
    def torn(self) -> bool:
        """Return whether a segment was told in part and its rest may be missed."""
        return self._torn and self._reply.open

    @property
    def overflowed(self) -> bool:
        """Return whether as much is held back as may be; there may have been more."""
        return len(self._held or ()) == MOST_HELD

    @property
    def info(self) -> RunInfo:
        """Return what may be shown of this run."""
        return RunInfo(
            self.run_id,
            self._clock.age,
            self.accepted,
            self.ended,
            len(self._reply.text),
            sum(map(len, self._texts(self._unread))),
            len(self._held or ()),
        )

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield the text as it arrives, then raise the error if there was one."""
        while unread := await self._read():
            if text := "".join(self._texts(unread)):
                yield text
        await self.result()

    async def parts(self) -> AsyncIterator[Part]:
        """Yield text and, where they are recorded, the steps with tools; as above."""
        while unread := await self._read():
            for kind, group in groupby(unread, type):
                if kind is str:
                    yield "".join(map(str, group))
                else:
                    for step in group:
                        yield step
        await self.result()

    async def result(self) -> RunResult:
        """Wait for the end of the run and return the whole reply.

        Raises:
            AgentRunError: the agent failed.
            AgentRunAborted: the run was stopped.
            GatewayConnectionError: the connection ended or the deadline passed.

        """
        await asyncio.wait([self._result])
        return self._result.result()

    async def abort(self) -> None:
        """Stop the run, here and at the Gateway.

        Raises:
            GatewayError: the Gateway could not be told; the run has ended here.

        """
        if not self.ended:
            self.fail(AgentRunAborted())
            await self._abort(self)

    async def wait_accepted(self) -> Self:
        """Wait until the Gateway has taken the run, or raise why it did not."""
        await asyncio.wait([self._accepted])
        self._accepted.result()
        return self

    def record_tools(self) -> None:
        """Tell the steps with tools, too, as far as the Gateway tells them (v4)."""
        self._steps = ToolSteps()

    def expect(self, response: asyncio.Future[Json]) -> None:
        """End with the final response, which is yet to come."""
        self._response = response
        response.add_done_callback(self._finish)

    def accept(self) -> None:
        """Note that the Gateway has taken the run."""
        if not self.accepted:
            self._accepted.set_result(None)
            self.taken_at = self._loop.time()

    def feed(self, payload: Payload, at: float) -> None:
        """Take the payload of an `agent` event of this run; `at` is monotonic."""
        self._clock.seen_at = at
        if self._held is not None:
            self._held.append(payload)
            return
        seq, data = payload.get("seq"), payload.get("data")
        if not isinstance(seq, int) or not isinstance(data, dict):
            return
        if seq <= self._last_seq:
            return
        if self._torn and self._skips_text(payload, data):
            self.hold(payload)
            return
        self._last_seq = seq
        match payload.get("stream"):
            case "assistant":
                self._tell(self._reply.feed(data))
            case "item" if data.get("kind") == "preamble":
                self._settle(data)
            case "lifecycle" if data.get("phase") == "start":
                self._reply.retry()
            case "tool" if self._steps and (step := self._steps.read(data)):
                self._tell(step)

    def suspend(self, error: GatewayError) -> None:
        """Outlive the connection; hold back events until it is known what is missing.

        If no news come in time, the run ends with `error`.
        """
        self.hold()
        self._torn = False
        self._clock.lose(error)

    def hold(self, *first: Payload) -> None:
        """Hold back what comes from now on; what is too much has to be asked for."""
        self._held = deque(first, MOST_HELD)

    def catch_up(self, texts: tuple[str, ...]) -> None:
        """Tell what was missed, then what was held back.

        Where that does not show the rest of a segment that was told in part, the
        start of the next one is held back until the second call.
        """
        self._tell(self._reply.catch_up(texts))
        self._torn = self._reply.open and not (self._torn and self._held)
        held, self._held = self._held or (), None
        for payload in held:
            self.feed(payload, self._clock.seen_at)

    def complete(self, texts: tuple[str, ...]) -> None:
        """End the run with all segments of its reply, as the history has them."""
        self._tell(self._reply.catch_up(texts))
        self._succeed({})

    def fail(self, error: GatewayError) -> None:
        """End the run with an error, whatever the Gateway says of it later."""
        for future in (self._accepted, self._result):
            if not future.done():
                future.set_exception(error)
                future.exception()
        self._end()

    def _finish(self, response: asyncio.Future[Json]) -> None:
        if response.cancelled():
            return
        try:
            self._conclude(response.result())
        except ConnectionLostError, NotConnectedError:
            return
        except GatewayError as err:
            self.fail(self._as_run_error(err))

    def _conclude(self, payload: Json) -> None:
        self.accept()
        if self.ended:
            return
        match payload:
            case {"status": "ok", "result": {"meta": {"aborted": True}}}:
                self.fail(AgentRunAborted())
            case {"status": "ok"}:
                self._tell(self._reply.finish(reply_texts(payload)))
                self._succeed(payload)
            case {"status": "timeout", "stopReason": "rpc"}:
                self.fail(AgentRunAborted())
            case {"status": "timeout"}:
                self.fail(AgentRunError("the agent took too long", code="TIMEOUT"))
            case _:
                self.fail(AgentRunError("the run ended unexpectedly", code="UNKNOWN"))

    def _succeed(self, payload: Payload) -> None:
        if not self.ended:
            self._unread += self._steps.close() if self._steps else ()
            result = run_result(self.run_id, payload, self._reply.text)
            self._result.set_result(result)
            self._end()

    def _expire(self, error: GatewayError) -> None:
        self.fail(error)
        self._on_expire(self)

    def _as_run_error(self, error: GatewayError) -> GatewayError:
        if self.accepted and isinstance(error, RequestFailedError):
            return AgentRunError(
                "the agent failed", code=error.code, reason=error.reason
            )
        return error

    def _skips_text(self, payload: Payload, data: Payload) -> bool:
        """Return whether text was missed between a torn segment and an event."""
        if not self._reply.open or payload.get("stream") != "assistant":
            return False
        self._torn = self._reply.starts_anew(data)
        return self._torn

    def _settle(self, data: Payload) -> None:
        match data:
            case {"phase": "end", "progressText": str(text)}:
                self._tell(self._reply.settle(text))

    def _end(self) -> None:
        self._clock.stop()
        self._wake_reader()
        if self._response:
            self._response.cancel()
        self._on_end(self)

    def _tell(self, part: Part) -> None:
        if part:
            self._unread.append(part)
            if self._reader:
                self._wake_reader()

    async def _read(self) -> list[Part]:
        """Return what nobody has read yet, as soon as there is any; nothing at last."""
        while not self._unread and not self.ended:
            self._reader = self._loop.create_future()
            await self._reader
        unread, self._unread = self._unread, []
        return unread

    def _texts(self, parts: list[Part]) -> list[str]:
        """Return the texts of parts, which are all of them without recorded steps."""
        if self._steps is None:
            return cast("list[str]", parts)
        return [part for part in parts if isinstance(part, str)]

    def _wake_reader(self) -> None:
        if self._reader and not self._reader.done():
            self._reader.set_result(None)
        self._reader = None
