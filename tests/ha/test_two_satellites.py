"""Answers on a device with two satellites."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.listeners import get_listeners
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, wait_processed
from .handoff_scenario import ANSWER, HandoffScenario, agent_settings
from .voice_devices import Satellite, add

__all__ = ["agent_settings"]


@pytest.fixture
async def second(
    hass: HomeAssistant, loudspeaker: Satellite, satellite: str
) -> Satellite:
    """Return the device's second satellite, by entity id."""
    second = await add(hass, Satellite("second"), satellite)
    assert second.entity_id > loudspeaker.entity_id
    return second


@pytest.mark.parametrize(
    ("answer", "said", "asked"),
    [(ANSWER, [ANSWER], []), ("Shall I go on?", [], ["Shall I go on?"])],
)
async def test_the_one_that_was_asked_says_the_answer(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    loudspeaker: Satellite,
    second: Satellite,
    answer: str,
    said: list[str],
    asked: list[str],
) -> None:
    gateway.script(Pause(), Reply(answer))
    await scenario.ask(satellite=second.entity_id)

    gateway.proceed()
    await scenario.wait_ended()

    assert (second.said, second.asked) == (said, asked)
    assert (loudspeaker.said, loudspeaker.asked) == ([], [])


async def test_the_other_one_says_it_once_the_one_that_was_asked_is_gone(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    loudspeaker: Satellite,
    second: Satellite,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask(satellite=second.entity_id)
    er.async_get(hass).async_remove(second.entity_id)
    await hass.async_block_till_done()

    gateway.proceed()
    await scenario.wait_ended()

    assert loudspeaker.said == [ANSWER]


@pytest.mark.parametrize("stored", [True, False])
async def test_a_stored_hand_off_may_know_the_satellite_or_not(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass_storage: dict[str, Any],
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
    second: Satellite,
    *,
    stored: bool,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask(satellite=second.entity_id)
    await wait_processed(entry)
    store = hass_storage[f"clawd.handoffs.{entry.entry_id}"]["data"]
    question = {**store["handoffs"][0]["question"]}
    if not stored:
        del question["satellite_id"]

    await scenario.set_up_with(question=question)
    gateway.proceed()
    await scenario.wait_ended()

    assert (second if stored else loudspeaker).said == [ANSWER]
    assert (loudspeaker if stored else second).said == []


async def test_the_listener_of_a_session_is_read_with_its_satellite(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    second: Satellite,
) -> None:
    gateway.script(Reply(ANSWER))
    await conversation.say("Hello", device=satellite, satellite=second.entity_id)
    await wait_processed(entry)

    assert await hass.config_entries.async_reload(entry.entry_id)

    [owner] = get_listeners(entry).owners.values()
    assert owner.listener.device_id == satellite
    assert owner.listener.satellite_id == second.entity_id
