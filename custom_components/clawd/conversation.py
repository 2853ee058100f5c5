"""Conversation agents of a Gateway."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast, override

from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationEntity,
    ConversationEntityFeature,
    ConversationInput,
    ConversationResult,
)
from homeassistant.const import MATCH_ALL
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.intent import IntentResponse

from .assist.agent_questions import get_agent_questions
from .assist.answers import is_refusal, names_choice
from .assist.chat_log import async_get_words
from .assist.handoff import async_follow_late, async_hand_off
from .assist.new_conversation import async_new_conversation_of, text_after_command
from .assist.ongoing import async_ask, get_ongoing
from .assist.ongoing_run import OngoingRun
from .assist.open_question import OpenQuestion, Taken
from .assist.prompt import format_history_since_last_reply, join
from .assist.question import Question
from .assist.question_texts import async_describe_question
from .assist.questions import is_question
from .assist.reply import has_words
from .assist.requirements import async_ask_error
from .assist.stop import async_describe_stop, async_stop, is_stop, runs_to_stop
from .assist.usage import async_trace_usage
from .const import (
    CONF_HANDOFF_AFTER,
    CONF_HANDOFF_SENTENCE,
    DOMAIN,
    SUBENTRY_CONVERSATION,
)
from .coordinator import async_create_background_task, subentries_of_type
from .device_automation.events import (
    AgentEvent,
    async_fire_agent_event,
    describe_results,
)
from .entity import AgentEntity
from .gateway import GatewayError, RunTimeoutError
from .home.notifications import async_notify_user
from .home.settings import AgentHome, HomeAccess
from .home.users import async_require_control
from .sentences import Sentence, async_get_sentence, async_localize_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .assist.chat_log import Delta
    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the conversation agents of an entry."""
    for subentry in subentries_of_type(entry, SUBENTRY_CONVERSATION):
        async_add_entities(
            [ClawdConversationEntity(entry.runtime_data.coordinator, subentry)],
            config_subentry_id=subentry.subentry_id,
        )


class ClawdConversationEntity(AgentEntity, ConversationEntity):
    """Conversation agent of a Gateway."""

    _attr_name = None
    _attr_supports_streaming = True

    @property
    @override
    def supported_features(self) -> ConversationEntityFeature:
        """Return the supported features."""
        home = AgentHome.from_subentry(self.subentry)
        # Clawdbot and older Gateways have no tools of nodes.
        node = self.coordinator.config_entry.runtime_data.node
        if node and home.access is HomeAccess.CONTROL:
            return ConversationEntityFeature.CONTROL
        return ConversationEntityFeature(0)

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return all languages."""
        return MATCH_ALL

    @override
    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Handle a message and stream the reply.

        Raises:
            HomeAssistantError: why there is no reply, in the language of the question.

        """
        try:
            return await self._async_reply(user_input, chat_log)
        except HomeAssistantError as err:
            language = user_input.language
            raise await async_localize_error(self.hass, language, err) from err

    async def _async_reply(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Reply to a message.

        Or begin a new conversation, take an answer, or stop.
        """
        asked_at = asyncio.get_running_loop().time()
        question = self._question(
            user_input,
            chat_log,
            by_person=await _async_is_person(self.hass, user_input),
        )
        entry = self.coordinator.config_entry
        asked = self._question_to_answer(question)
        try:
            if (text := text_after_command(question.text)) is not None:
                await self._async_begin_anew(user_input.context, question, asked)
                if not text:
                    return await self._async_confirm_new(question, chat_log)
                question = replace(question, text=text, history="")
            elif asked and (
                result := await self._async_answer(asked, question, asked_at, chat_log)
            ):
                return result
            elif is_stop(question.text) and (runs := runs_to_stop(entry, question)):
                return await self._async_stop(runs, question, chat_log)
            run = await async_ask(self.hass, entry, self.subentry, question)
            return await self._async_stream_reply(run, asked_at, chat_log)
        except GatewayError as err:
            error = await async_ask_error(self.coordinator, self.subentry, err)
            raise error from err

    def _question(
        self, user_input: ConversationInput, chat_log: ChatLog, *, by_person: bool
    ) -> Question:
        return Question(
            text=user_input.text,
            conversation_id=chat_log.conversation_id,
            language=user_input.language,
            device_id=user_input.device_id,
            satellite_id=user_input.satellite_id,
            user_id=user_input.context.user_id,
            context_id=user_input.context.id,
            by_person=by_person,
            history=format_history_since_last_reply(chat_log.content, self.entity_id),
            extra_system_prompt=user_input.extra_system_prompt,
        )

    async def _async_stream_reply(
        self, run: OngoingRun, asked_at: float, chat_log: ChatLog, said: int = 0
    ) -> ConversationResult:
        """Stream a reply into the chat log.

        From the character `said` on.
        """
        entry, language = self.coordinator.config_entry, run.question.language
        patience = self.subentry.data[CONF_HANDOFF_AFTER]
        if patience and run.question.voice_device is not None:
            deltas = run.deltas(asked_at + patience, patience)
        else:
            deltas = run.deltas()
        try:
            async for _ in chat_log.async_add_delta_content_stream(
                self.entity_id, self._async_with_end(run, deltas, said)
            ):
                pass
        except asyncio.CancelledError:
            # The pipeline was interrupted: the reply has no reader.
            await async_stop(self.hass, entry, [run])
            raise
        except RunTimeoutError:
            async_follow_late(self.hass, entry, run)
            raise
        if asked := self._question_of(run):
            return await self._async_ask(asked, run, chat_log, said)
        if run.detached:
            async_hand_off(self.hass, entry, run)
            shown = await self._async_handoff_sentence(language)
            if run.reply and run.heard:
                # The stream included it.
                shown = join(run.reply.shown[said:], shown)
            else:
                self._async_say(shown, chat_log)
            return _result(chat_log, run.question, shown)
        reply = await run.result()
        async_trace_usage(run.run_result)
        listens = is_question(reply.text, language)
        shown = join(reply.shown[said:], reply.media)
        if not (has_words(shown) and (said or reply.media)):
            shown = await async_get_words(self.hass, language, reply)
        self._async_fire_reply(run)
        if not (has_words(reply.shown) or reply.media):
            self._async_say(shown, chat_log)
        return _result(chat_log, run.question, shown, listens=listens)

    async def _async_with_end(
        self, run: OngoingRun, deltas: AsyncGenerator[Delta], said: int
    ) -> AsyncGenerator[Delta]:
        """Yield the reply and its final sentence.

        A question, or the hand-off.
        """
        continued = said > 0
        async for delta in deltas:
            if continued and (text := cast("dict[str, Any]", delta).get("content")):
                # A paragraph of the reply starts a message of its own here.
                continued = False
                yield {"content": text.lstrip("\n")}
            else:
                yield delta
        if asked := self._question_of(run):
            yield {"role": "assistant"}
            yield {"content": await self._async_describe(asked)}
        elif run.detached and run.heard:
            yield {"role": "assistant"}
            sentence = await self._async_handoff_sentence(run.question.language)
            yield {"content": sentence}

    def _question_of(self, run: OngoingRun) -> OpenQuestion | None:
        """Return the question that ended the turn."""
        questions = get_agent_questions(self.coordinator.config_entry)
        asked = questions.of_run(run.id) if questions else None
        return asked if asked and asked.reader else None

    async def _async_ask(
        self, asked: OpenQuestion, run: OngoingRun, chat_log: ChatLog, said: int
    ) -> ConversationResult:
        """Return a question as result."""
        text, before = await self._async_describe(asked), ""
        questions = get_agent_questions(self.coordinator.config_entry)
        assert questions  # noqa: S101 - it has the question
        await questions.async_asked(asked, run)
        await self._async_show_rest(asked, run.question, text)
        if run.reply and run.heard:
            before, asked.said = run.reply.shown[said:], len(run.reply.shown)
        return _result(chat_log, run.question, join(before, text), listens=True)

    async def _async_describe(
        self, asked: OpenQuestion, *, shortened: bool = True
    ) -> str:
        question = asked.origin.question
        assert question  # noqa: S101 - a person is asked
        spoken = question.voice_device is not None
        return await async_describe_question(
            self.hass, asked.item, question.language, spoken=spoken, shortened=shortened
        )

    async def _async_show_rest(
        self, asked: OpenQuestion, question: Question, said: str
    ) -> None:
        """Notify the user of a question too long to be spoken."""
        whole = await self._async_describe(asked, shortened=False)
        if whole != said:
            # In the background: the player does not wait for telephones.
            async_create_background_task(
                self.hass,
                self.coordinator.config_entry,
                async_notify_user(
                    self.hass, question.user_id, whole, self.subentry.title
                ),
                f"{DOMAIN} long question",
            )

    def _question_to_answer(self, question: Question) -> OpenQuestion | None:
        """Return the question awaiting this answer."""
        questions = get_agent_questions(self.coordinator.config_entry)
        if questions is None or not question.by_person:
            return None
        asked = questions.answered_by(self.subentry.subentry_id, question)
        stops = is_stop(question.text, asked=True) and not is_refusal(question.text)
        if asked and stops and not names_choice(asked.item, question.text):
            return None
        return asked

    async def _async_answer(
        self,
        asked: OpenQuestion,
        question: Question,
        asked_at: float,
        chat_log: ChatLog,
    ) -> ConversationResult | None:
        """Answer a question of the agent.

        None if the utterance is no answer.
        """
        entry = self.coordinator.config_entry
        questions = get_agent_questions(entry)
        assert questions  # noqa: S101 - it has the question
        run, repeated = questions.ongoing(asked), asked.repeated
        try:
            taken = await questions.async_take(asked, question.text)
            if taken is Taken.NO_ANSWER:
                return None
            if (
                taken is Taken.DONE
                and run
                and run.id not in get_ongoing(entry).handoffs
            ):
                return await self._async_stream_reply(
                    run, asked_at, chat_log, asked.said
                )
        except GatewayError as err:
            error = await async_ask_error(self.coordinator, self.subentry, err)
            raise error from err
        language = question.language
        if taken is Taken.ASKED:
            await questions.async_asked(asked)
            text = await self._async_describe(asked)
            if not asked.repeated:
                await self._async_show_rest(asked, question, text)
            if asked.repeated and not repeated:
                key = Sentence.QUESTION_NOT_UNDERSTOOD
                text = await async_get_sentence(self.hass, language, key, question=text)
        elif taken is Taken.DONE:
            text = await self._async_handoff_sentence(language)
        else:
            key = Sentence.QUESTION_CLOSED
            text = await async_get_sentence(self.hass, language, key)
        self._async_say(text, chat_log)
        return _result(chat_log, question, text, listens=taken is Taken.ASKED)

    async def _async_begin_anew(
        self, context: Context, question: Question, asked: OpenQuestion | None
    ) -> None:
        """Restart the session of a question.

        The next utterance is no answer to what was asked before.
        """
        entry = self.coordinator.config_entry
        await async_require_control(self.hass, context, self.entity_id)
        await async_new_conversation_of(self.hass, entry, self.subentry, question)
        if asked and (questions := get_agent_questions(entry)):
            with suppress(GatewayError):
                await questions.async_send(asked, refused=True)

    async def _async_confirm_new(
        self, question: Question, chat_log: ChatLog
    ) -> ConversationResult:
        """Say that a new conversation has started."""
        key = Sentence.NEW_CONVERSATION
        text = await async_get_sentence(self.hass, question.language, key)
        self._async_say(text, chat_log)
        return _result(chat_log, question, text)

    async def _async_handoff_sentence(self, language: str) -> str:
        """Return the sentence of a hand-off."""
        return self.subentry.data.get(
            CONF_HANDOFF_SENTENCE
        ) or await async_get_sentence(self.hass, language, Sentence.HANDED_OFF)

    async def _async_stop(
        self, runs: Iterable[OngoingRun], question: Question, chat_log: ChatLog
    ) -> ConversationResult:
        """Stop runs and report the result."""
        report = await async_stop(self.hass, self.coordinator.config_entry, runs)
        text = await async_describe_stop(self.hass, question.language, report)
        self._async_say(text, chat_log)
        return _result(chat_log, question, text)

    def _async_fire_reply(self, run: OngoingRun) -> None:
        """Fire the event of a reply."""
        question = run.question
        async_fire_agent_event(
            self.hass,
            self.coordinator.config_entry,
            self.subentry,
            AgentEvent.REPLY,
            {**describe_results(run.run_result), "voice_device": question.voice_device},
            context=Context(question.user_id, question.context_id),
        )

    def _async_say(self, text: str, chat_log: ChatLog) -> None:
        """Add a sentence to the chat log."""
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, text)
        )


def _result(
    chat_log: ChatLog, question: Question, shown: str, *, listens: bool = False
) -> ConversationResult:
    response = IntentResponse(language=question.language)
    response.async_set_speech(shown)
    return ConversationResult(
        response, chat_log.conversation_id, continue_conversation=listens
    )


async def _async_is_person(hass: HomeAssistant, user_input: ConversationInput) -> bool:
    """Return whether a person asks."""
    # An automation's question has a parent, or neither user nor device.
    if user_input.context.parent_id is not None:
        return False
    if user_id := user_input.context.user_id:
        # Apps (add-ons), such as Node-RED, ask as a user that the system made; and so
        # does who speaks to a telephone, by its satellite.
        user = await hass.auth.async_get_user(user_id)
        return user is not None and bool(
            user_input.satellite_id or not user.system_generated
        )
    return bool(user_input.device_id or user_input.satellite_id)
