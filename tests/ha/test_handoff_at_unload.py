"""Hand-offs that begin while their entry is unloaded."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.handoff import async_follow_late, async_hand_off
from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.assist.ongoing_run import OngoingRun
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation
from .handoff_scenario import ANSWER, QUESTION, HandoffScenario, agent_settings

__all__ = ["agent_settings"]


@pytest.mark.parametrize("late", [False, True])
async def test_the_next_setup_tells_the_end(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    caplog: pytest.LogCaptureFixture,
    late: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await gateway.wait_paused()
    [run] = get_ongoing(entry).all
    await run.wait_started()
    states: list[ConfigEntryState] = []

    # The entry has cancelled its tasks by then, and still waits for their ends.
    async def wait(started: OngoingRun) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            states.append(entry.state)
            hand_off = async_follow_late if late else async_hand_off
            hand_off(hass, entry, started)

    entry.async_create_background_task(hass, wait(run), "test")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await question
    await hass.async_block_till_done()
    assert states == [ConfigEntryState.UNLOAD_IN_PROGRESS]
    assert [*get_handoffs(entry).open] == [run.id]
    assert get_ongoing(entry).handoffs == {}

    gateway.proceed()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await scenario.wait_ended()

    [message] = scenario.messages
    assert message.endswith(ANSWER)
    assert "Unexpected exception" not in caplog.text


@pytest.mark.parametrize("removed", [False, True])
async def test_it_is_stored_after_an_unload_but_not_after_a_removal(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    removed: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await gateway.wait_paused()
    [run] = get_ongoing(entry).all
    await run.wait_started()
    entries = hass.config_entries
    end = entries.async_remove if removed else entries.async_unload
    assert await end(entry.entry_id)
    await question

    async_hand_off(hass, entry, run)
    await hass.async_block_till_done()

    assert (f"clawd.handoffs.{entry.entry_id}" in hass_storage) is not removed
    gateway.proceed()
    if not removed:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await scenario.wait_ended()
        assert scenario.messages == [ANSWER]
