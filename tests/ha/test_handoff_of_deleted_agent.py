"""Hand-offs of agents that are deleted meanwhile."""

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import wait_processed
from .handoff_scenario import ANSWER, SENTENCE, HandoffScenario, agent_settings
from .voice_devices import Satellite

__all__ = ["agent_settings"]
both_protocols = pytest.mark.parametrize("protocol", [3, 4])
FAILED = "I have not finished what you asked for. The agent was deleted meanwhile."


async def delete_agent(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Delete the agent; the entry is loaded again."""
    await wait_processed(entry)
    [subentry] = entry.subentries.values()
    assert hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()


@both_protocols
async def test_the_user_is_told_and_the_run_is_stopped(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    protocol: int,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    [asked] = gateway.received("agent")

    await delete_agent(hass, entry)
    await scenario.wait_ended()

    assert scenario.messages == [FAILED]
    assert scenario.titles == ["main"]
    assert scenario.event_types == ["handed_off", "failed"]
    [stop] = gateway.received("chat.abort" if protocol == 4 else "chat.send")
    assert stop.params["sessionKey"] == asked.params["sessionKey"]
    assert get_handoffs(entry).open == {}
    assert get_ongoing(entry).all == ()


async def test_the_device_that_asked_says_so(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()

    await delete_agent(hass, entry)
    await scenario.wait_ended()

    assert loudspeaker.said == [FAILED]
    assert scenario.messages == []


@pytest.mark.parametrize("protocol", [4])
async def test_a_refused_stop_does_not_keep_it_from_being_told(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    gateway.refuse_method("chat.abort")

    await delete_agent(hass, entry)
    await scenario.wait_ended()

    assert scenario.messages == [FAILED]


async def test_a_failure_that_was_told_is_not_told_again(
    scenario: HandoffScenario, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()

    late = {"subentry_id": "gone", "state": "late"}
    await scenario.set_up_with(**late)
    await scenario.wait_ended()

    assert scenario.messages == []
    assert gateway.received("chat.abort")
    assert get_handoffs(entry).open == {}


async def test_one_stored_without_a_name_is_told_of(
    scenario: HandoffScenario, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()

    await scenario.set_up_with(subentry_id="gone", agent=None)
    await scenario.wait_ended()

    assert scenario.messages == [FAILED]
    assert scenario.titles == [entry.title]
