"""The conversation agent of a Gateway."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, override

from homeassistant.components.conversation import (
    AssistantContentDeltaDict,
    ChatLog,
    ConversationEntity,
    ConversationInput,
    ConversationResult,
    async_get_result_from_chat_log,
)
from homeassistant.const import MATCH_ALL
from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .entity import GatewayEntity
from .errors import action_error
from .gateway import AgentRun, GatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the conversation agent of an entry."""
    async_add_entities(
        [ClawdConversationEntity(entry.runtime_data.coordinator, "conversation")]
    )


class ClawdConversationEntity(GatewayEntity, ConversationEntity):
    """The Gateway's default agent."""

    _attr_name = None
    _attr_supports_streaming = True

    @property
    @override
    def supported_languages(self) -> list[str] | Literal["*"]:
        """Return that the agent understands any language."""
        return MATCH_ALL

    @override
    async def _async_handle_message(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> ConversationResult:
        """Ask the agent and pass on its reply as it arrives."""
        try:
            await self._async_stream_reply(user_input, chat_log)
        except GatewayError as err:
            raise action_error(err) from err
        return async_get_result_from_chat_log(user_input, chat_log)

    async def _async_stream_reply(
        self, user_input: ConversationInput, chat_log: ChatLog
    ) -> None:
        run = await self.coordinator.client.start_run(
            user_input.text,
            session_key=self._session_key(chat_log.conversation_id),
            extra_system_prompt=user_input.extra_system_prompt,
        )
        try:
            async for _ in chat_log.async_add_delta_content_stream(
                self.entity_id, _deltas(run)
            ):
                pass
        except asyncio.CancelledError:
            with suppress(GatewayError):
                await run.abort()
            raise
        if not (await run.result()).text:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="empty_reply"
            )

    def _session_key(self, conversation_id: str) -> str:
        """Return the session of a conversation; it tells nothing of the user."""
        hello = self.coordinator.client.hello
        agent = hello.default_agent if hello else "main"
        return f"agent:{agent}:ha-{sha256(conversation_id.encode()).hexdigest()[:32]}"


async def _deltas(run: AgentRun) -> AsyncGenerator[AssistantContentDeltaDict]:
    yield {"role": "assistant"}
    async for text in run:
        yield {"content": text}
