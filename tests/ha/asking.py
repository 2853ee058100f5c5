"""Entries that answer questions of agents."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.agent_questions import (
    AgentQuestions,
    get_agent_questions,
)
from custom_components.clawd.const import CONF_ASK_QUESTIONS
from custom_components.clawd.gateway import GatewayClient, ScopeStatus
from tests.simulator import AskUser, GatewaySimulator, Pause, Reply

from .assist_client import Conversation, wait_processed

ROOM: Final[dict[str, Any]] = {
    "id": "room",
    "header": "Room",
    "question": "Which room?",
    "options": [{"label": "Kitchen", "description": "by the sink"}, {"label": "Bath"}],
}
SPOKEN: Final = "Which room? You can say: Kitchen or Bath."
WRITTEN: Final = "**Room**\n\nWhich room?\n\n- **Kitchen**: by the sink\n- **Bath**"


async def set_up_asking(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Set up an entry with the option, which asks for the scope."""
    hass.config_entries.async_update_entry(entry, options={CONF_ASK_QUESTIONS: True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def wait_for_scopes(
    gateway: GatewaySimulator, entry: ConfigEntry[Any], status: ScopeStatus
) -> None:
    """Wait until the optional scopes have a status."""
    client: GatewayClient = entry.runtime_data.client
    unsubscribe = client.subscribe_scopes(lambda _: gateway.notify())
    await gateway.wait_until(lambda: client.optional_scopes.status is status)
    unsubscribe()
    await client.wait_connected()
    await client.request("health")


async def approve(gateway: GatewaySimulator, entry: ConfigEntry[Any]) -> None:
    """Approve the scope of questions, and wait until it is used."""
    await wait_for_scopes(gateway, entry, ScopeStatus.PENDING)
    gateway.approve(entry.runtime_data.client.optional_scopes.request_id)
    await wait_for_scopes(gateway, entry, ScopeStatus.GRANTED)


def questions_of(entry: ConfigEntry[Any]) -> AgentQuestions:
    """Return the open questions of an entry."""
    questions = get_agent_questions(entry)
    assert questions
    return questions


@pytest.fixture
async def entry(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> MockConfigEntry:
    """Set up an entry that may answer questions."""
    await set_up_asking(hass, new_entry)
    await approve(gateway, new_entry)
    return new_entry


@pytest.fixture
async def asked_later(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> str:
    """Have a run ask that was handed off; return the id of its question."""
    gateway.script(Pause(), AskUser([ROOM]), Reply("The bath it is."))
    await conversation.say("Turn it on", device=satellite)
    gateway.proceed()
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    await hass.async_block_till_done()
    [question_id] = questions_of(entry).open
    return question_id
