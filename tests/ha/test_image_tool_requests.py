"""Requests for the image tool."""

from homeassistant.components.ai_task import AITaskEntityFeature
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import ai_task
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import TASK, cleaned_up
from .assist_client import Conversation, wait_processed
from .pictures import picture
from .states import state_of


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


async def test_a_chat_does_not_ask_for_the_image_tool(
    entry: ClawdConfigEntry, gateway: GatewaySimulator, conversation: Conversation
) -> None:
    gateway.script(Reply("Hello."))
    asked = len(gateway.received("tools.invoke"))
    await conversation.say("Hi")
    await conversation.say("Hi")
    await cleaned_up(entry)
    assert len(gateway.received("tools.invoke")) == asked


async def test_an_image_tool_that_is_configured_later_is_found(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ai_task, "MAX_IMAGE_TOOL_AGE", 0.0)
    gateway.images.image = picture(8, 8, "PNG")
    gateway.script(Reply("Hello."))
    await conversation.say("Hi")
    await cleaned_up(entry)
    features = state_of(hass, TASK).attributes["supported_features"]
    assert features & AITaskEntityFeature.GENERATE_IMAGE


async def test_an_image_tool_is_looked_for_until_the_gateway_answers(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.images.image = picture(8, 8, "PNG")
    # As seconds after its start.
    gateway.refuse_method("tools.invoke")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    features = state_of(hass, TASK).attributes["supported_features"]
    assert not features & AITaskEntityFeature.GENERATE_IMAGE
    gateway.script(Reply("Hello."))
    await Conversation(hass).say("Hi")
    await cleaned_up(new_entry)
    features = state_of(hass, TASK).attributes["supported_features"]
    assert features & AITaskEntityFeature.GENERATE_IMAGE


async def test_a_new_connection_looks_for_the_image_tool_once(
    entry: ClawdConfigEntry, gateway: GatewaySimulator, conversation: Conversation
) -> None:
    gateway.script(Reply("Hello."))
    gateway.drop()
    await gateway.wait_for_request("tools.invoke", 2)
    await wait_processed(entry)
    await conversation.say("Hi")
    await cleaned_up(entry)
    assert len(gateway.received("tools.invoke")) == 2
