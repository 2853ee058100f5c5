"""Commands for a new conversation while an agent asks."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import AskUser, GatewaySimulator, Reply

from .asking import ROOM, SPOKEN, entry, questions_of
from .assist_client import Conversation, speech
from .test_agent_questions import handed_off, messages
from .test_new_conversation import sent

__all__ = ["entry"]

pytestmark = pytest.mark.usefixtures("no_deletion_delays")


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return settings with a session for each device."""
    return {"handoff_after": 30, "session_scope": "device"}


async def test_the_question_is_left_without_an_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    conversation: Conversation,
    gateway: GatewaySimulator,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("No room."))
    assert speech(await conversation.say("Turn it on", device="tablet")) == SPOKEN

    result = await conversation.say("/new", device="tablet")
    assert speech(result) == "New conversation started."

    [resolved] = gateway.received("question.resolve")
    assert resolved.params["cancel"] is True
    assert not questions_of(entry).open
    await handed_off(entry)
    assert messages(hass) == ["No room."]
    gateway.script(Reply("Hi."))
    assert speech(await conversation.say("Kitchen", device="tablet")) == "Hi."
    first, second = sent(gateway)
    assert second == f"{first}-1"


async def test_a_question_that_the_gateway_has_closed_is_no_obstacle(
    entry: MockConfigEntry, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM]), Reply("No room."))
    assert speech(await conversation.say("Turn it on", device="tablet")) == SPOKEN
    gateway.refuse_method("question.resolve")

    result = await conversation.say("/new", device="tablet")

    assert speech(result) == "New conversation started."
    assert not questions_of(entry).open
