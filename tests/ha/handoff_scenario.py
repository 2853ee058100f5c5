"""Scenario of hand-offs: a user asks at a voice device and leaves."""

import asyncio
from datetime import timedelta
from typing import Any, Final

from homeassistant.core import Event, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.const import EVENT_HANDOFF
from tests.simulator import GatewaySimulator

from .assist_client import Conversation, speech, wait_processed
from .events import types

SENTENCE: Final = "I'm on it; I'll tell you when it's done."
QUESTION: Final = "Find out who painted the ceiling"
ANSWER: Final = "It was Michelangelo."
WORDS: Final = f"<user_words>{QUESTION}</user_words>"
AFTER: Final = 20


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Let each device have a session."""
    return {"handoff_after": AFTER, "session_scope": "device"}


async def wait_handoffs(entry: MockConfigEntry) -> None:
    """Wait until no hand-off is left."""
    while tasks := get_ongoing(entry).handoffs:
        await asyncio.wait([*tasks.values()])
        await asyncio.sleep(0)


def prompts(gateway: GatewaySimulator) -> list[str]:
    """Return the system prompt of each question."""
    return [r.params["extraSystemPrompt"] for r in gateway.received("agent")]


def sessions(gateway: GatewaySimulator) -> list[str]:
    """Return the session of each question."""
    return [request.params["sessionKey"] for request in gateway.received("agent")]


class Patience:
    """Patience of a user at a voice device."""

    def __init__(self, hass: HomeAssistant, gateway: GatewaySimulator) -> None:
        """Initialize without questions."""
        self.hass = hass
        self._gateway = gateway

    def end(self) -> None:
        """Let the time pass after which a question is handed off."""
        later = dt_util.utcnow() + timedelta(seconds=AFTER + 1)
        async_fire_time_changed(self.hass, later)

    async def ask(
        self, conversation: Conversation, device: str, text: str = QUESTION, **more: str
    ) -> str:
        """Ask a long question and leave."""
        paused = self._gateway.paused
        question = asyncio.create_task(conversation.say(text, device=device, **more))
        await self._gateway.wait_until(lambda: self._gateway.paused > paused)
        for _ in range(20):
            await asyncio.sleep(0)
        self.end()
        result = await question
        assert not result.continue_conversation
        return speech(result)


class HandoffScenario:
    """Hand-offs of an agent, asked at a voice device."""

    def __init__(
        self,
        conversation: Conversation,
        patience: Patience,
        entry: MockConfigEntry,
        device: str,
        storage: dict[str, Any],
    ) -> None:
        """Initialize without hand-offs."""
        hass = patience.hass
        self.events: list[Event] = async_capture_events(hass, EVENT_HANDOFF)
        self._notifications: dict[str, dict[str, Any]] = hass.data.setdefault(
            "persistent_notification", {}
        )
        self._hass = hass
        self._conversation = conversation
        self._patience = patience
        self._entry = entry
        self._device = device
        self._storage = storage

    @property
    def event_types(self) -> list[str]:
        """Return the types of the events."""
        return types(self.events)

    @property
    def messages(self) -> list[str]:
        """Return the notifications' messages in order."""
        return [str(shown["message"]) for shown in self._notifications.values()]

    @property
    def titles(self) -> list[str]:
        """Return the notifications' titles in order."""
        return [str(shown["title"]) for shown in self._notifications.values()]

    async def ask(self, text: str = QUESTION, **more: str) -> str:
        """Ask a long question and leave."""
        return await self._patience.ask(self._conversation, self._device, text, **more)

    def end_patience(self) -> None:
        """Let the time pass after which a question is handed off."""
        self._patience.end()

    async def wait_ended(self) -> None:
        """Wait until no hand-off is left."""
        await wait_handoffs(self._entry)

    async def set_up_with(self, **changes: object) -> None:
        """Set up again with changed hand-offs."""
        entry = self._entry
        await wait_processed(entry)
        assert await self._hass.config_entries.async_unload(entry.entry_id)
        stored = self._storage[f"clawd.handoffs.{entry.entry_id}"]["data"]
        [row] = stored["handoffs"]
        row.update(changes)
        assert await self._hass.config_entries.async_setup(entry.entry_id)
