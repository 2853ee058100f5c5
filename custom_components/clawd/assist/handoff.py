"""Hand-off of long runs."""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..const import (
    DOMAIN,
    EVENT_HANDOFF,
    LOGGER,
    MAX_HANDOFF_AGE,
    SUBENTRY_CONVERSATION,
)
from ..coordinator import async_create_background_task
from ..device_automation.events import (
    AgentEvent,
    async_fire_agent_event,
    describe_results,
)
from ..gateway import (
    GatewayAuthenticationError,
    GatewayError,
    GatewayProtocolError,
    InsecureTransportError,
    RunRequest,
    RunTimeoutError,
)
from ..home.announcements import async_deliver, async_wait_for_start
from ..home.notifications import async_notify_user
from ..sentences import Sentence, async_get_error_text, async_get_sentence
from .chat_log import async_get_words
from .errors import log_unexpected, translated_error
from .handoff_store import Handoff, HandoffState, get_handoffs
from .media import async_describe_media
from .ongoing import get_ongoing
from .ongoing_run import OngoingRun, async_abort_run
from .question import ResumedRun, RunLostError
from .questions import is_question
from .requirements import async_ask_error
from .side_session import describe_failure
from .throwaway import async_delete_later

if TYPE_CHECKING:
    from ..coordinator import ClawdConfigEntry
    from ..gateway import RunResult

# Errors that end the runs of the client, and not the run at the Gateway.
CLIENT_ERRORS: Final = (
    GatewayAuthenticationError,
    GatewayProtocolError,
    InsecureTransportError,
)
# Seconds to track an overdue run, in case it goes on.
MAX_LATE_AGE: Final = MAX_HANDOFF_AGE
# Seconds to find the end of a run that ended while Home Assistant was down; and after
# which nobody near the voice device waits for it any more. It is shown all the same:
# the clock may have been wrong when the question was asked.
RESUME_TIME: Final = 60.0
MAX_SPOKEN_AGE: Final = 86_400.0


class HandoffEvent(StrEnum):
    """Event of a hand-off."""

    HANDED_OFF = "handed_off"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


# Ends with an event of their own for tasks.
TASK_EVENTS: Final = {
    HandoffEvent.FINISHED: AgentEvent.TASK_FINISHED,
    HandoffEvent.FAILED: AgentEvent.TASK_FAILED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """End of a hand-off.

    Attributes:
        message: sentence for the listener.
        question: it asks for an answer.
        late: the run may go on nevertheless.
        media: references of the pictures and files of the reply.
        result: what the Gateway tells of a run that has succeeded.

    """

    event: HandoffEvent
    message: str = field(default="", repr=False)
    question: bool = False
    late: bool = False
    media: tuple[str, ...] = field(default=(), repr=False)
    result: RunResult | None = None


@callback
def async_hand_off(
    hass: HomeAssistant, entry: ClawdConfigEntry, run: OngoingRun
) -> None:
    """Hand off a run without a reader."""
    run.extend(MAX_HANDOFF_AGE)
    _async_start(hass, entry, run, Handoff.from_run(run), handed_off=True)


@callback
def async_follow_late(
    hass: HomeAssistant, entry: ClawdConfigEntry, run: OngoingRun
) -> None:
    """Track a run after a reported failure.

    Its reply is delivered if it comes late. Runs stopped by or unknown to the Gateway
    are not tracked.
    """
    if run.run is None or run.stopped or run.id in get_ongoing(entry).handoffs:
        return
    handoff = Handoff.from_run(run)
    handoff.state = HandoffState.LATE
    _async_start(hass, entry, run, handoff, handed_off=False)


@callback
def _async_start(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    run: OngoingRun,
    handoff: Handoff,
    *,
    handed_off: bool,
) -> None:
    if entry.state is ConfigEntryState.LOADED:
        task = _HandoffTask(hass, entry, run.subentry, handoff)
        task.start(run if handed_off else None)
    elif hass.config_entries.async_get_entry(entry.entry_id):
        # A task that is started while the entry is unloaded would outlive it, and find
        # nothing to tell the end with. The next setup resumes what is stored.
        stored = get_handoffs(entry).async_put(hass, entry, handoff)
        hass.async_create_task(stored, f"{DOMAIN} hand-off")


async def async_resume_handoffs(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Resume the stored hand-offs."""
    handoffs = get_handoffs(entry)
    for handoff in await handoffs.async_load(hass, entry):
        subentry = entry.subentries.get(handoff.subentry_id)
        if subentry is None:
            LOGGER.debug("Ending hand-off of run %s: agent deleted", handoff.id)
            deleted = _deleted_agent(entry, handoff)
            _DeletedAgentTask(hass, entry, deleted, handoff).start(None)
        else:
            LOGGER.debug("Resuming hand-off of run %s", handoff.id)
            _HandoffTask(hass, entry, subentry, handoff).start(None)


def _deleted_agent(entry: ClawdConfigEntry, handoff: Handoff) -> ConfigSubentry:
    """Return the remains of a deleted agent."""
    return ConfigSubentry(
        data=MappingProxyType({}),
        subentry_id=handoff.subentry_id,
        subentry_type=SUBENTRY_CONVERSATION,
        title=handoff.agent or entry.title,
        unique_id=None,
    )


class _HandoffTask:
    """Task of a hand-off, delivering its end once."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ClawdConfigEntry,
        subentry: ConfigSubentry,
        handoff: Handoff,
    ) -> None:
        """Initialize without starting the task."""
        self._hass = hass
        self._entry = entry
        self._subentry = subentry
        self._handoff = handoff
        self._coordinator = entry.runtime_data.coordinator
        self._runs = get_ongoing(entry)
        self._handoffs = get_handoffs(entry)
        # Do not repeat an end that may have been heard.
        heard = handoff.state is HandoffState.DELIVERING
        self._aloud = not heard and handoff.age <= MAX_SPOKEN_AGE

    def start(self, run: OngoingRun | None) -> None:
        """Start the task.

        None resumes a run.
        """
        task = async_create_background_task(
            self._hass, self._entry, self._async_run(run), f"{DOMAIN} hand-off"
        )
        self._runs.handoffs[self._handoff.id] = task
        task.add_done_callback(self._end)
        self._coordinator.async_update_listeners()

    def _end(self, _: asyncio.Task[None]) -> None:
        self._runs.handoffs.pop(self._handoff.id, None)
        self._runs.cancelled.discard(self._handoff.id)
        self._coordinator.async_update_listeners()
        if self._entry.state is ConfigEntryState.LOADED:
            # Its session may be one that was left for a new conversation.
            async_delete_later(self._hass, self._entry)

    async def _async_run(self, run: OngoingRun | None) -> None:
        try:
            try:
                await self._async_put()
                if run:
                    self._fire(HandoffEvent.HANDED_OFF)
                await self._async_finish(run)
            except Exception as err:  # noqa: BLE001 - the user waits for an end
                log_unexpected(err)
                await self._async_give_up()
        except asyncio.CancelledError:
            # Unless it is cancelled, the next setup of the entry resumes it.
            if self._handoff.id not in self._runs.cancelled:
                raise
            self._fire(HandoffEvent.CANCELLED)
        await self._handoffs.async_remove(self._hass, self._entry, self._handoff.id)

    async def _async_give_up(self) -> None:
        """Deliver a failure after an unexpected exception."""
        # An announcement in progress may have been heard.
        if self._handoff.state is HandoffState.DELIVERING:
            self._aloud = False
        try:
            error = translated_error("unexpected_error")
            await self._async_deliver_outcome(await self._async_failure(error))
        except Exception as err:  # noqa: BLE001 - the last resort
            log_unexpected(err)

    async def _async_finish(self, run: OngoingRun | None) -> None:
        """Wait for the end and deliver it."""
        run = run or self._resume()
        if self._handoff.state is not HandoffState.LATE:
            outcome = await self._async_wait(run)
            await self._async_deliver_outcome(outcome)
            if not outcome.late:
                return
            self._handoff.state = HandoffState.LATE
            await self._async_put()
            run = self._resume()
        outcome = await self._async_wait(run)
        if outcome.event is HandoffEvent.FINISHED:
            message = await self._async_say(Sentence.LATE_REPLY, reply=outcome.message)
            await self._async_deliver_outcome(replace(outcome, message=message))

    async def _async_wait(self, run: OngoingRun) -> Outcome:
        """Wait for the outcome, across reconnects."""
        while True:
            try:
                return await self._async_result(run)
            except RunLostError as err:
                if not await self._async_wait_connected():
                    return await self._async_failure(err)
            run = self._resume()

    async def _async_result(self, run: OngoingRun) -> Outcome:
        await run.wait_started()
        if run.run and not self._handoff.accepted:
            self._handoff.accepted = True
            # It may be another one, if a new conversation was begun meanwhile.
            self._handoff.question = replace(
                self._handoff.question, session_key=run.session_key
            )
            await self._async_put()
        language = self._handoff.question.language
        try:
            reply = await run.result()
            words = await async_get_words(self._hass, language, reply)
        except RunLostError:
            raise
        except (GatewayError, HomeAssistantError) as err:
            if run.run and isinstance(err, CLIENT_ERRORS):
                raise RunLostError from err
            if run.stopping:
                return Outcome(HandoffEvent.CANCELLED, late=not run.stopped)
            return await self._async_failure(err)
        question = is_question(reply.text, language)
        return Outcome(
            HandoffEvent.FINISHED,
            words,
            question,
            media=reply.references,
            result=run.run_result,
        )

    async def _async_failure(self, err: GatewayError | HomeAssistantError) -> Outcome:
        late = isinstance(err, RunTimeoutError) and not err.stopped
        if isinstance(err, GatewayError):
            err = await async_ask_error(self._coordinator, self._subentry, err)
        language = self._handoff.question.language
        reason = await async_get_error_text(self._hass, language, err)
        message = await self._async_say(Sentence.HANDOFF_FAILED, reason=reason)
        # The session does not know that the user has been told.
        question = self._handoff.question
        note = describe_failure(question.text, message)
        self._runs.note(question.chosen_session, note)
        return Outcome(HandoffEvent.FAILED, message, late=late)

    async def _async_wait_connected(self) -> bool:
        """Return whether a connection returns in time."""
        left = self._limit - self._handoff.age
        changed = asyncio.Event()
        unsubscribe = self._coordinator.async_add_listener(changed.set)
        try:
            async with asyncio.timeout(left):
                while not self._coordinator.connected:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        finally:
            unsubscribe()
        return True

    async def _async_deliver_outcome(self, outcome: Outcome) -> None:
        """Tell the listener, once."""
        if outcome.message:
            await async_wait_for_start(self._hass)
            if self._aloud:
                await self._async_deliver(outcome)
            else:
                await self._async_show(outcome)
        self._fire(outcome.event, outcome.result)

    async def _async_deliver(self, outcome: Outcome) -> None:
        self._handoffs.count_delivery(self._handoff)
        self._handoff.state = HandoffState.DELIVERING
        await self._async_put()
        await async_deliver(
            self._hass,
            self._entry,
            self._handoff.question.listener,
            outcome.message,
            question=outcome.question,
            title=self._subentry.title,
            media=partial(self._async_describe_media, outcome),
        )

    async def _async_show(self, outcome: Outcome) -> None:
        user_id = self._handoff.question.user_id
        media = await self._async_describe_media(outcome)
        await async_notify_user(
            self._hass, user_id, outcome.message, self._subentry.title, media
        )

    async def _async_describe_media(self, outcome: Outcome) -> str:
        question = self._handoff.question
        return await async_describe_media(
            self._hass,
            self._entry,
            question.chosen_session,
            question.listener,
            outcome.media,
        )

    def _resume(self) -> OngoingRun:
        """Resume the run from the Gateway."""
        handoff = self._handoff
        run = OngoingRun(self._subentry, handoff.question, handoff.id)
        self._runs.add(run)
        timeout = max(self._limit, handoff.age + RESUME_TIME)
        resumed = ResumedRun(
            run_id=handoff.id,
            asked=handoff.asked,
            timeout=timeout,
            accepted=handoff.accepted,
        )
        run.resume(self._hass, self._entry, resumed)
        return run

    @property
    def _limit(self) -> float:
        # An announcement in progress may belong to a run with a late end.
        running = self._handoff.state is HandoffState.RUNNING
        return MAX_HANDOFF_AGE + (0.0 if running else MAX_LATE_AGE)

    async def _async_put(self) -> None:
        await self._handoffs.async_put(self._hass, self._entry, self._handoff)

    async def _async_say(self, sentence: Sentence, **placeholders: str) -> str:
        language = self._handoff.question.language
        return await async_get_sentence(self._hass, language, sentence, **placeholders)

    @callback
    def _fire(self, event: HandoffEvent, result: RunResult | None = None) -> None:
        LOGGER.debug("Hand-off of run %s: %s", self._handoff.id, event)
        self._handoffs.outcomes[event] += 1
        results = describe_results(result) if result else {}
        seconds = round(self._handoff.age)
        task = {**results, "task_id": self._handoff.id, "seconds": seconds}
        self._hass.bus.async_fire(
            EVENT_HANDOFF,
            {"type": event.value, "agent": self._subentry.title, **task},
        )
        if event in TASK_EVENTS:
            async_fire_agent_event(
                self._hass, self._entry, self._subentry, TASK_EVENTS[event], task
            )


class _DeletedAgentTask(_HandoffTask):
    """Task of a hand-off whose agent was deleted."""

    @override
    async def _async_finish(self, run: OngoingRun | None) -> None:
        """Stop the run and deliver a failure."""
        await self._async_stop()
        # The failure of a late one was delivered.
        if self._handoff.state is not HandoffState.LATE:
            error = translated_error("deleted_agent")
            await self._async_deliver_outcome(await self._async_failure(error))

    async def _async_stop(self) -> None:
        """Stop the run at the Gateway, if possible."""
        handoff = self._handoff
        question = handoff.question
        request = RunRequest(question.text, question.chosen_session, run_id=handoff.id)
        run = self._coordinator.client.resume_run(
            request, handoff.asked.timestamp, accepted=handoff.accepted
        )
        await async_abort_run(run)
