"""Telephones: persons who speak as a user that the system made."""

import asyncio
from typing import Any, Final

from homeassistant.components.conversation import ConversationResult, async_converse
from homeassistant.core import Context, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.clawd.const import DOMAIN, EVENT_QUESTION
from tests.simulator import AskUser, GatewaySimulator, Reply

from .asking import ROOM, SPOKEN, entry
from .assist_client import speech, wait_processed
from .states import AGENT

__all__ = ["entry"]
SATELLITE: Final = "assist_satellite.telephone"


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Let the agent be told who asks."""
    return {"share_user_name": True}


@pytest.fixture
def telephony(hass: HomeAssistant) -> str:
    """Return the id of the user that Home Assistant's telephony asks as."""
    return MockUser(name="Voice over IP", system_generated=True).add_to_hass(hass).id


async def say(
    hass: HomeAssistant, text: str, user_id: str, satellite: str | None = SATELLITE
) -> ConversationResult:
    """Say something, by telephone unless there is no satellite."""
    return await async_converse(
        hass,
        text,
        None,
        Context(user_id=user_id),
        agent_id=AGENT,
        device_id="telephone",
        satellite_id=satellite,
    )


@pytest.mark.usefixtures("entry")
async def test_a_question_of_the_agent_is_asked_by_telephone(
    hass: HomeAssistant, gateway: GatewaySimulator, telephony: str
) -> None:
    events = async_capture_events(hass, EVENT_QUESTION)
    gateway.script(AskUser([ROOM]), Reply("The light is on."))

    asked = await say(hass, "Turn it on", telephony)
    answered = await say(hass, "the kitchen", telephony)

    assert (speech(asked), asked.continue_conversation) == (SPOKEN, True)
    assert speech(answered) == "The light is on."
    assert events == []


async def test_nobody_is_called_as_a_user_of_the_system(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    telephony: str,
) -> None:
    assert entry
    gateway.script(Reply("Hello."))

    await say(hass, "Hello", telephony)

    [run] = gateway.received("agent")
    assert "Voice over IP" not in run.params["extraSystemPrompt"]


async def test_an_app_that_names_a_device_is_no_person(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    telephony: str,
) -> None:
    events = async_capture_events(hass, EVENT_QUESTION)
    gateway.script(AskUser([ROOM]), Reply("The light is on."))

    task = asyncio.create_task(say(hass, "Turn it on", telephony, satellite=None))
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)

    [event] = events
    data = {"question_id": event.data["question_id"], "answer": "Bath"}
    await hass.services.async_call(DOMAIN, "answer", data, blocking=True)
    assert speech(await task) == "The light is on."


async def test_a_question_to_automations_is_answered_by_no_utterance(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    telephony: str,
) -> None:
    events = async_capture_events(hass, EVENT_QUESTION)
    gateway.script_once(AskUser([ROOM]), Reply("The light is on."))
    gateway.script(Reply("Good evening."))
    task = asyncio.create_task(say(hass, "Turn it on", telephony, satellite=None))
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)

    ann = Context(user_id=MockUser(name="Ann").add_to_hass(hass).id)
    reply = await async_converse(hass, "the kitchen", None, ann, agent_id=AGENT)

    assert speech(reply) == "Good evening."
    assert gateway.received("question.resolve") == []
    [event] = events
    data = {"question_id": event.data["question_id"], "answer": "Bath"}
    await hass.services.async_call(DOMAIN, "answer", data, blocking=True)
    assert speech(await task) == "The light is on."
