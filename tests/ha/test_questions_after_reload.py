"""Open questions after a reload."""

import asyncio
from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.device_automation.events import EVENT_AGENT
from custom_components.clawd.reports import Status
from tests.simulator import AskUser, GatewaySimulator, Reply

from .asking import ROOM, SPOKEN, asked_later, entry, questions_of
from .assist_client import Conversation, wait_processed
from .events import types
from .self_test import run_self_test, statuses
from .test_agent_questions import handed_off, messages

__all__ = ["asked_later", "entry"]


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Hand off at once."""
    return {"handoff_after": 0.02}


@pytest.fixture
def agent_events(hass: HomeAssistant) -> list[Event[Any]]:
    """Return the events of agents."""
    return async_capture_events(hass, EVENT_AGENT)


async def test_a_handed_off_run_asks_again_after_a_reload(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    agent_events: list[Event[Any]],
    asked_later: str,
) -> None:
    assert messages(hass) == [SPOKEN]

    assert await hass.config_entries.async_reload(entry.entry_id)
    async with asyncio.timeout(5):
        while len(messages(hass)) < 2:
            await wait_processed(entry)
            await asyncio.sleep(0)
    assert messages(hass) == [SPOKEN, SPOKEN]
    assert [*questions_of(entry).open] == [asked_later]
    await conversation.say("Bath", device=satellite)
    await handed_off(entry)

    assert messages(hass)[-1] == "The bath it is."
    assert questions_of(entry).outcomes == {"answered": 1}
    assert len(gateway.received("agent")) == 1
    # Automations count the question once.
    assert types(agent_events) == ["question", "task_finished"]


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0}])
async def test_a_question_at_the_end_of_a_turn_outlives_a_reload(
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The bath it is."))
    await conversation.say("Turn it on", device=satellite)
    assert messages(hass) == []

    assert await hass.config_entries.async_reload(entry.entry_id)
    async with asyncio.timeout(5):
        while not messages(hass):
            await wait_processed(entry)
            await asyncio.sleep(0)
    assert messages(hass) == [SPOKEN]
    await conversation.say("Bath", device=satellite)
    await handed_off(entry)
    assert messages(hass) == [SPOKEN, "The bath it is."]
    assert get_handoffs(entry).open == {}


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0}])
@pytest.mark.parametrize("end", ["Bath", "Stop"])
async def test_a_question_that_has_ended_is_not_asked_after_a_reload(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    end: str,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The bath it is."))
    await conversation.say("Turn it on", device=satellite)
    assert len(get_handoffs(entry).open) == 1
    report = await run_self_test(hass, checks=["handoffs"])
    assert statuses(report)["handoffs"] == Status.PASS

    await conversation.say(end, device=satellite)
    await wait_processed(entry)
    await hass.async_block_till_done()
    assert get_handoffs(entry).open == {}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_processed(entry)
    await hass.async_block_till_done()
    assert messages(hass) == []
    assert not get_ongoing(entry).handoffs
