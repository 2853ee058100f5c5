"""Conversations with the agent of an entry."""

import asyncio
from typing import Any

from homeassistant.components.conversation import (
    ChatLog,
    Content,
    ConversationResult,
    async_converse,
    async_get_chat_log,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.chat_session import async_get_chat_session

from custom_components.clawd.coordinator import ClawdConfigEntry

from .states import AGENT


class Conversation:
    """Conversation with the agent, and its deltas."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without messages."""
        self._hass = hass
        self.deltas: list[str] = []
        self.content: list[Content] = []
        self.delta_received = asyncio.Event()

    async def say(  # noqa: PLR0913 - as Home Assistant's own function
        self,
        text: str,
        conversation_id: str | None = None,
        prompt: str | None = None,
        *,
        device: str | None = None,
        satellite: str | None = None,
        user: str | None = None,
        language: str | None = None,
    ) -> ConversationResult:
        """Say something as a device, satellite or user, by id."""
        with (
            async_get_chat_session(self._hass, conversation_id) as session,
            async_get_chat_log(
                self._hass, session, chat_log_delta_listener=self._listen
            ) as log,
        ):
            result = await async_converse(
                self._hass,
                text,
                session.conversation_id,
                Context(user_id=user),
                language,
                agent_id=AGENT,
                device_id=device,
                satellite_id=satellite,
                extra_system_prompt=prompt,
            )
            self.content = list(log.content)
            return result

    def _listen(self, _log: ChatLog, delta: dict[str, Any]) -> None:
        if delta.get("content"):
            self.deltas.append(delta["content"])
            self.delta_received.set()


async def wait_processed(entry: ClawdConfigEntry) -> None:
    """Wait until everything that the Gateway has sent is processed."""
    # The response comes last; then the parts pass through a few tasks.
    await entry.runtime_data.client.request("health")
    for _ in range(20):
        await asyncio.sleep(0)


def speech(result: ConversationResult) -> str:
    """Return the speech of a result."""
    return str(result.response.speech["plain"]["speech"])
