"""Logbook entries of tool calls."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd.const import EVENT_TOOL_CALL
from custom_components.clawd.logbook import async_describe_events

from .harness import Home


def described(hass: HomeAssistant, data: dict[str, Any]) -> str:
    """Return the sentence of an event."""
    found: dict[tuple[str, str], Any] = {}
    async_describe_events(
        hass, lambda domain, event, describe: found.update({(domain, event): describe})
    )
    entry = found["clawd", EVENT_TOOL_CALL](Event(EVENT_TOOL_CALL, data))
    return f"{entry['name']} {entry['message']}"


@pytest.mark.parametrize(
    ("tool", "entities", "sentence"),
    [
        ("intent__HassTurnOn", ["light.kitchen_light"], "turned on Kitchen light"),
        ("HassTurnOff", ["lock.front_door"], "unlocked Front door"),
        (
            "HassTurnOff",
            ["light.kitchen_light", "lock.front_door"],
            "turned off Kitchen light and Front door",
        ),
        (
            "HassLightSet",
            ["light.kitchen_light", "light.hall_light", "light.kitchen_light"],
            "changed Kitchen light, Hall light and Kitchen light",
        ),
        (
            "HassTurnOn",
            ["light.a", "light.b", "light.c", "light.d"],
            "turned on 4 entities",
        ),
        ("script__welcome", ["script.welcome"], "used welcome on Welcome"),
        ("HassStartTimer", [], "used HassStartTimer"),
        ("home_announce", ["light.hall_light"], "spoke on Hall light"),
        ("home_look", ["light.hall_light"], "looked at Hall light"),
        ("home_notify", [], "used home_notify"),
        ("HassTurnOn", ["light.gone"], "used HassTurnOn"),
    ],
)
async def test_a_call_is_a_sentence(
    hass: HomeAssistant, home: Home, tool: str, entities: list[str], sentence: str
) -> None:
    data = {
        "entry_id": home.entry.entry_id,
        "subentry_id": home.subentry_id,
        "tool": tool,
        "outcome": "done",
        "entity_id": entities,
    }
    assert described(hass, data) == f"main {sentence}"


async def test_old_and_refused_calls_are_sentences(
    hass: HomeAssistant, home: Home
) -> None:
    refused = {"entry_id": home.entry.entry_id, "outcome": "not_allowed"}
    assert described(hass, refused) == (
        "OpenClaw Gateway could not use an unknown tool (not_allowed)"
    )
    assert described(hass, {"tool": "x", "outcome": "done"}) == "OpenClaw used x"


async def test_the_light_was_turned_on_by_the_agent(
    hass: HomeAssistant, home: Home
) -> None:
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light")

    state = hass.states.get("light.kitchen_light")
    assert state is not None
    origin = state.context.origin_event
    assert origin is not None
    assert origin.event_type == EVENT_TOOL_CALL
    assert described(hass, dict(origin.data)) == "main turned on Kitchen light"
    # In the history, the cause is older than its effect.
    [event] = home.events
    assert event.time_fired_timestamp <= state.last_updated_timestamp
    assert await async_setup_component(hass, "http", {})
