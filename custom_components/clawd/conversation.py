"""Conversation agents of a Gateway."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, override

from homeassistant.components.conversation import (
    AssistantContent,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
    async_get_result_from_chat_log,
)
from homeassistant.const import MATCH_ALL
from homeassistant.exceptions import HomeAssistantError

from .assist.ask import Question, async_ask_error, async_start_run
from .assist.chat_log import deltas
from .assist.prompt import format_history_since_last_reply
from .assist.speech import SpeechText, speakable
from .const import CONF_SPEECH_CLEANUP, DOMAIN, SUBENTRY_CONVERSATION
from .entity import AgentEntity
from .gateway import AgentRun, GatewayError

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
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return all languages."""
        return MATCH_ALL

    @override
    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Ask the agent and stream its reply into the chat log."""
        question = self._question(user_input, chat_log)
        entry = self.coordinator.config_entry
        try:
            run = await async_start_run(self.hass, entry, self.subentry, question)
            await self._async_stream_reply(run, question, chat_log)
        except GatewayError as err:
            error = await async_ask_error(self.coordinator, self.subentry, err)
            raise error from err
        return async_get_result_from_chat_log(user_input, chat_log)

    def _question(self, user_input: ConversationInput, chat_log: ChatLog) -> Question:
        return Question(
            text=user_input.text,
            conversation_id=chat_log.conversation_id,
            language=user_input.language,
            device_id=user_input.device_id,
            satellite_id=user_input.satellite_id,
            user_id=user_input.context.user_id,
            history=format_history_since_last_reply(chat_log.content, self.entity_id),
            extra_system_prompt=user_input.extra_system_prompt,
        )

    async def _async_stream_reply(
        self, run: AgentRun, question: Question, chat_log: ChatLog
    ) -> None:
        cleaned = question.voice_device and self.subentry.data[CONF_SPEECH_CLEANUP]
        try:
            async for _ in chat_log.async_add_delta_content_stream(
                self.entity_id, deltas(run, SpeechText() if cleaned else None)
            ):
                pass
        except asyncio.CancelledError:
            # The pipeline was interrupted: nobody waits for the reply.
            with suppress(GatewayError):
                await run.abort()
            raise
        last = chat_log.content[-1]
        replied = isinstance(last, AssistantContent) and (last.content or "").strip()
        if not replied:
            reply = (await run.result()).text
            self._add_reply(chat_log, reply, speakable(reply) if cleaned else reply)

    def _add_reply(self, chat_log: ChatLog, reply: str, shown: str) -> None:
        """Append the final reply if the stream ended without text."""
        if not shown.strip():
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="unspeakable_reply" if reply else "empty_reply",
            )
        chat_log.async_add_assistant_content_without_tools(
            AssistantContent(self.entity_id, shown)
        )
