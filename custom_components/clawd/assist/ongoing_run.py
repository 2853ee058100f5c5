"""Run owned by an entry."""

import asyncio
from collections import deque
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final, override
from uuid import uuid4

from ..const import DOMAIN, LOGGER
from ..coordinator import async_create_background_task
from ..gateway import AgentRunAborted, GatewayError
from ..util.moment import Moment
from .ask import async_resume, async_run
from .media import Asker, reply_media
from .question import ResumedRun, RunLostError
from .spoken import reply_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry
    from ..gateway import AgentRun, RunResult
    from .chat_log import Delta, ReplyStream
    from .question import Question

# Seconds to confirm a stop to the user.
STOP_TIMEOUT: Final = 3.0


async def async_abort_run(run: AgentRun) -> bool:
    """Abort a run; return whether the Gateway has confirmed it in time."""
    with suppress(GatewayError, TimeoutError):
        async with asyncio.timeout(STOP_TIMEOUT):
            return await run.abort()
    return False


class OngoingRun:
    """Run owned by an entry, with a reader.

    The pipeline may detach and leave: the run goes on, and its deltas wait for the
    next reader.

    Attributes:
        id: id of the run and of its task, unique for ever.
        session_key: its session.
        asked: time of the question.
        run: run at the Gateway; None until it is accepted.
        reply: reply so far; None until the run is accepted.
        detached: no pipeline reads it, though it goes on.
        heard: a reader has had words.
        answered: its session is free again; pictures may be to come.
        stopped: the Gateway has confirmed that it was stopped.

    """

    def __init__(
        self, subentry: ConfigSubentry, question: Question, run_id: str | None = None
    ) -> None:
        """Initialize for `OngoingRuns`."""
        self.id = run_id or uuid4().hex
        self.subentry = subentry
        self.question = question
        self.session_key = question.chosen_session
        self.asked = Moment.now()
        self.run: AgentRun | None = None
        self.reply: ReplyStream | None = None
        self.detached = self.heard = self.answered = self.stopped = False
        self._limit: float | None = None
        self._deltas: deque[Delta] = deque()
        self._changed = asyncio.Event()
        self._ended: asyncio.Future[ReplyStream] = asyncio.Future()
        self._stop: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def age(self) -> float:
        """Return the seconds since the question."""
        return self.asked.age

    @property
    def ended(self) -> bool:
        """Return whether the run has ended."""
        return self._ended.done()

    @property
    def run_result(self) -> RunResult:
        """Return the result of a successful run."""
        result = self.run and self.run.result_now
        assert result  # noqa: S101 - its reply was read to the end
        return result

    @property
    def stopping(self) -> bool:
        """Return whether the run is being stopped."""
        return self._stop is not None

    async def deltas(
        self, heard_by: float | None = None, patience: float | None = None
    ) -> AsyncGenerator[Delta]:
        """Yield the unread deltas.

        Until the run has ended, or the reader is detached. It is detached without a
        word by the time `heard_by` of the event loop's clock, or after `patience`
        seconds without another one.

        Raises:
            GatewayError: the run failed.
            HomeAssistantError: it was not started, or its reply is broken.

        """
        has_role = False
        while await self._wait_for_delta(heard_by):
            while self._deltas:
                delta = self._deltas.popleft()
                if not has_role and "role" not in delta:
                    yield {"role": "assistant"}
                has_role = True
                self.heard = self.heard or bool(delta.get("content"))
                yield delta
                if patience is not None and self._waits_for(patience):
                    self.detach()
                    return
        if not self.detached:
            self._ended.result()

    async def result(self) -> ReplyStream:
        """Wait for the end and return the reply.

        Raises:
            GatewayError: the run failed.
            HomeAssistantError: it was not started, or its reply is broken.

        """
        await self.wait_ended()
        return self._ended.result()

    async def wait_started(self) -> None:
        """Wait for the start.

        Or the end of the run.
        """
        while not (self.run or self.ended):
            self._changed.clear()
            await self._changed.wait()

    async def wait_ended(self) -> None:
        """Wait until the run has ended, however."""
        await asyncio.wait([self._ended])

    def attach(self) -> None:
        """Attach another reader."""
        self.detached = self.heard = False

    def detach(self) -> None:
        """Detach the reader; the run goes on."""
        LOGGER.debug("Reader detached from run %s", self.id)
        self.detached = True
        self._changed.set()

    def extend(self, seconds: float) -> None:
        """Extend the deadlines to `seconds` after the question."""
        self._limit = seconds
        if self.run:
            self.run.extend(seconds - self.age + self.run.deadlines.age)

    async def async_stop(self) -> bool:
        """Stop the run locally and remotely.

        Return whether the Gateway has confirmed it, or has never had the run.
        """
        if self._stop is None and not self.ended:
            self._stop = asyncio.Future()
            try:
                self.stopped = await self._async_stop()
            finally:
                self._stop.set_result(None)
        await self.wait_ended()
        return self.stopped

    async def _async_stop(self) -> bool:
        if self.run is None or self.answered:
            # It waits for its turn, for the Gateway's acceptance, or for pictures.
            assert self._task  # noqa: S101 - nobody has the run before it is started
            self._task.cancel()
            return True
        return await async_abort_run(self.run)

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call back once the run has ended."""
        self._ended.add_done_callback(lambda _: callback())

    def start(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        """Start a task to ask the question."""
        asked = async_run(hass, entry, self.subentry, self.question, self.id)
        self._start(hass, entry, asked)

    def resume(
        self, hass: HomeAssistant, entry: ClawdConfigEntry, resumed: ResumedRun
    ) -> None:
        """Start a task to resume a run."""
        self.asked = resumed.asked
        self.detached = True
        asked = async_resume(entry, self.subentry, self.question, resumed)
        self._start(hass, entry, asked)

    def _start(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        asked: AbstractAsyncContextManager[AgentRun],
    ) -> None:
        name = f"{DOMAIN} question"
        coroutine = self._async_run(hass, entry, asked)
        self._task = async_create_background_task(hass, entry, coroutine, name)
        self._task.add_done_callback(self._handle_task_end)

    async def _async_run(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        asked: AbstractAsyncContextManager[AgentRun],
    ) -> None:
        try:
            reply = await self._async_read(hass, entry, asked)
        except asyncio.CancelledError:
            # Stopped before the Gateway had it, or the entry is unloaded.
            if self.reply and self.answered and not self._stop:
                # Only the pictures are missing.
                self._ended.set_result(self.reply)
            else:
                self._fail(AgentRunAborted() if self._stop else RunLostError())
            raise
        except Exception as err:  # noqa: BLE001 - raised to the reader
            self._fail(err)
        else:
            self._ended.set_result(reply)
        finally:
            self._changed.set()

    def _handle_task_end(self, _: asyncio.Task[None]) -> None:
        # Where the entry was being unloaded, the task has not begun.
        if not self.ended:
            self._fail(RunLostError())
            self._changed.set()

    async def _async_read(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        asked: AbstractAsyncContextManager[AgentRun],
    ) -> ReplyStream:
        question = self.question
        chat = question.voice_device is None
        asker = Asker(question.user_id, question.language, waits=chat)
        async with AsyncExitStack() as stack:
            async with asked as run:
                self.run, self.session_key = run, run.session_key
                self._changed.set()
                if self._limit is not None:
                    self.extend(self._limit)
                media = stack.enter_context(
                    reply_media(hass, entry, run.session_key, asker)
                )
                self.reply = reply_stream(hass, self.subentry, question, run)
                try:
                    await self._async_collect(self.reply.deltas())
                finally:
                    # The session is busy until the Gateway has stopped the run.
                    if self._stop:
                        await asyncio.wait([self._stop])
            self.answered = True
            if chat and not self.detached:
                await self._async_collect(self.reply.media_deltas(media.show))
            return self.reply

    async def _async_collect(self, deltas: AsyncGenerator[Delta]) -> None:
        """Keep deltas for the reader."""
        async for delta in deltas:
            self._deltas.append(delta)
            self._changed.set()

    def _waits_for(self, seconds: float) -> bool:
        """Return whether a player has waited long."""
        since = self.reply.waiting_since if self.reply else None
        return since is not None and asyncio.get_running_loop().time() - since > seconds

    async def _wait_for_delta(self, heard_by: float | None) -> bool:
        """Wait for a delta; return whether it came."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(None if self.heard else heard_by):
                while not (self._deltas or self.ended or self.detached):
                    self._changed.clear()
                    await self._changed.wait()
        if not (self._deltas or self.ended):
            self.detach()
        return bool(self._deltas)

    def _fail(self, error: Exception) -> None:
        self._ended.set_exception(error)
        # Mark it as retrieved: there may be no reader.
        self._ended.exception()

    @override
    def __repr__(self) -> str:
        """Represent the run without its content."""
        return f"<OngoingRun {self.id}>"
