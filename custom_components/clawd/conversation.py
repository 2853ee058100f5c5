"""Conversation agents of a Gateway."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, override

from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationEntity,
    ConversationEntityFeature,
    ConversationInput,
    ConversationResult,
)
from homeassistant.const import MATCH_ALL
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.intent import IntentResponse
from homeassistant.helpers.translation import async_get_translations

from .assist.ask import Question, async_ask_error, async_run
from .assist.chat_log import ReplyStream
from .assist.prompt import format_history_since_last_reply
from .assist.questions import is_question
from .assist.reply import has_words
from .assist.speech import SpeechText
from .const import CONF_SPEECH_CLEANUP, DOMAIN, SUBENTRY_CONVERSATION
from .entity import AgentEntity
from .gateway import AgentRun, GatewayError
from .home.settings import AgentHome, HomeAccess

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the conversation agents of an entry."""
    for subentry in entry.subentries.values():
        if subentry.subentry_type == SUBENTRY_CONVERSATION:
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
        """Return whether the agent can control the home."""
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
        """Ask the agent and stream its reply into the chat log."""
        question = self._question(
            user_input,
            chat_log,
            by_person=await _async_is_person(self.hass, user_input),
        )
        entry = self.coordinator.config_entry
        try:
            async with async_run(self.hass, entry, self.subentry, question) as run:
                reply = await self._async_stream_reply(run, question, chat_log)
        except GatewayError as err:
            error = await async_ask_error(self.coordinator, self.subentry, err)
            raise error from err
        response = IntentResponse(language=user_input.language)
        response.async_set_speech(
            await self._async_shown(reply, question.language, chat_log)
        )
        return ConversationResult(
            response,
            chat_log.conversation_id,
            continue_conversation=is_question(reply.text, question.language),
        )

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
        self, run: AgentRun, question: Question, chat_log: ChatLog
    ) -> ReplyStream:
        """Stream the reply of a run into the chat log."""
        cleanup = self.subentry.data[CONF_SPEECH_CLEANUP]
        speech = SpeechText(cleanup=cleanup) if question.voice_device else None
        reply = ReplyStream(run, speech)
        try:
            async for _ in chat_log.async_add_delta_content_stream(
                self.entity_id, reply.deltas()
            ):
                pass
        except asyncio.CancelledError:
            # The pipeline was interrupted: nobody waits for the reply.
            with suppress(GatewayError):
                await run.abort()
            raise
        return reply

    async def _async_shown(
        self, reply: ReplyStream, language: str, chat_log: ChatLog
    ) -> str:
        """Return what is said, whatever the agent replied.

        Raises:
            HomeAssistantError: there is nothing to say.

        """
        if has_words(reply.shown):
            return reply.shown
        if not reply.silent:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="unspeakable_reply" if reply.text else "empty_reply",
            )
        # NO_REPLY, as to a poll; but a person has asked.
        key = f"component.{DOMAIN}.exceptions.nothing_to_add.message"
        texts = await async_get_translations(
            self.hass, language.partition("-")[0], "exceptions", {DOMAIN}
        )
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, texts[key])
        )
        return texts[key]


async def _async_is_person(hass: HomeAssistant, user_input: ConversationInput) -> bool:
    """Return whether a person asks, and no automation."""
    # An automation's question has a parent, or neither user nor device.
    if user_input.context.parent_id is not None:
        return False
    if user_id := user_input.context.user_id:
        # Apps (add-ons), such as Node-RED, ask as a user that the system made.
        user = await hass.auth.async_get_user(user_id)
        return user is not None and not user.system_generated
    return bool(user_input.device_id or user_input.satellite_id)
