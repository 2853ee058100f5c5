"""Time to the first words."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.first_words import MAX_QUESTIONS
from tests.simulator import GatewaySimulator, Pause, Refuse, Reply

from .assist_client import Conversation, speech, wait_processed
from .states import state_of

SENSOR = "sensor.main_time_to_first_word"
SHORT = {"bootstrapContextMode": "lightweight", "promptMode": "minimal"}
NOT_YET = Refuse("Agent database open was revoked", "UNAVAILABLE")


@pytest.fixture
def _enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the entities that are disabled by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


def params_of(gateway: GatewaySimulator) -> dict[str, Any]:
    params: dict[str, Any] = gateway.received("agent")[-1].params
    return params


@pytest.mark.parametrize(
    ("protocol", "agent_settings", "spoken", "expected"),
    [
        (4, {"fast_voice": True}, True, SHORT),
        (4, {"fast_voice": True}, False, {}),
        (4, {}, True, {}),
        # Clawdbot refuses what it does not know.
        (3, {"fast_voice": True}, True, {}),
    ],
)
@pytest.mark.usefixtures("protocol", "agent_settings")
async def test_only_a_fast_voice_leaves_out_the_persona(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    spoken: object,
    expected: dict[str, str],
) -> None:
    gateway.script(Reply("It is on."))
    device = satellite if spoken else None
    assert speech(await conversation.say("Hi", device=device)) == "It is on."
    found = {key: params_of(gateway)[key] for key in SHORT if key in params_of(gateway)}
    assert found == expected


@pytest.mark.usefixtures("_enabled")
@pytest.mark.parametrize("protocol", [3, 4])
async def test_the_sensor_shows_the_median(
    hass: HomeAssistant, conversation: Conversation, entry: MockConfigEntry
) -> None:
    assert state_of(hass, SENSOR).state == "unknown"
    assert state_of(hass, SENSOR).attributes["unit_of_measurement"] == "s"
    await conversation.say("Hi")
    assert 0 < float(state_of(hass, SENSOR).state) < 10

    [times] = entry.runtime_data.first_words.values()
    times.extend([1.0, 2.0, 40.0])
    entry.runtime_data.coordinator.async_update_listeners()
    assert float(state_of(hass, SENSOR).state) == 1.5
    times.extend([3.0] * 100)
    assert len(times) == MAX_QUESTIONS


@pytest.mark.usefixtures("entry")
async def test_the_sensor_is_disabled_by_default(hass: HomeAssistant) -> None:
    registered = er.async_get(hass).async_get(SENSOR)
    assert registered
    assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION


async def test_the_time_ends_with_the_first_delta(
    conversation: Conversation, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    clock = asyncio.get_running_loop().time
    gateway.script(Reply("It is"), Pause(), Reply(" on."))
    started = clock()
    asking = asyncio.create_task(conversation.say("Hi"))
    await gateway.wait_paused()
    await wait_processed(entry)
    heard = clock()
    while clock() < heard + 0.02:  # noqa: ASYNC110 - time that does not count
        await asyncio.sleep(0)
    gateway.proceed()
    await asking
    [[seconds]] = entry.runtime_data.first_words.values()
    assert 0 < seconds < heard - started


async def test_a_question_without_an_answer_has_no_time(
    conversation: Conversation, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Refuse("no", "INVALID_REQUEST"))
    await conversation.say("Hi")
    gateway.script()
    await conversation.say("Hi")
    assert entry.runtime_data.first_words == {}


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_question_that_comes_too_early_is_asked_again(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script_once(NOT_YET)
    gateway.script(Reply("It is on."))
    assert speech(await conversation.say("Hi")) == "It is on."
    first, second = gateway.received("agent")
    assert first.params["idempotencyKey"] == second.params["idempotencyKey"]
