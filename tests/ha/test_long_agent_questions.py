"""Questions of agents that are too long to be spoken."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.announcements import MAX_SPOKEN
from tests.simulator import AskUser, GatewaySimulator, Reply

from .asking import ROOM, asked_later, entry
from .assist_client import Conversation, speech
from .test_agent_questions import ended, messages

__all__ = ["asked_later", "entry"]
SENTENCE = "These are the words of a long question. "
LONG = f"{SENTENCE * 100}In which room?"
CHOICES = "You can say: Kitchen or Bath."


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return settings with a short hand-off."""
    return {"handoff_after": 30, "session_scope": "device"}


async def test_the_rest_of_a_spoken_one_is_shown(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM | {"question": LONG}]), Reply("Done."))

    result = await conversation.say("Turn it on", device=satellite)
    await hass.async_block_till_done(wait_background_tasks=False)

    assert result.continue_conversation
    said = speech(result)
    head, _, rest = said.partition(" The rest is in a notification. ")
    assert LONG.startswith(head)
    assert MAX_SPOKEN - len(SENTENCE) < len(head) <= MAX_SPOKEN
    assert rest == CHOICES
    assert "".join(conversation.deltas) == said
    assert messages(hass) == [f"{LONG} {CHOICES}"]
    assert speech(await conversation.say("Bath", device=satellite)) == "Done."
    await ended(entry)


async def test_the_rest_of_a_second_one_is_shown(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    second = {"id": "time", "header": "Time", "question": LONG, "options": []}
    gateway.script(AskUser([ROOM, second]), Reply("Done."))
    await conversation.say("Turn it on", device=satellite)
    assert messages(hass) == []

    result = await conversation.say("Bath", device=satellite)
    await hass.async_block_till_done(wait_background_tasks=False)

    assert speech(result).endswith(" The rest is in a notification.")
    assert messages(hass) == [LONG]
    assert speech(await conversation.say("Noon", device=satellite)) == "Done."
    await ended(entry)


async def test_one_in_a_chat_is_whole(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM | {"question": LONG}]), Reply("Done."))
    user = await hass.auth.async_create_user("Ada")

    first = await conversation.say("Turn it on", user=user.id)

    assert LONG in speech(first)
    assert messages(hass) == []
    await conversation.say("Bath", first.conversation_id, user=user.id)
    await ended(entry)
