"""Ways around the confirmation of sensitive actions."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, entity_registry as er
import pytest

from custom_components.clawd.home.scripts import sequence_steps
from custom_components.clawd.home.sensitivity import Judge

from .harness import Home
from .test_confirmation import ASKED, labelled

HIDDEN = er.RegistryEntryHider.INTEGRATION


@pytest.mark.parametrize(
    ("sequence", "asked"),
    [
        # Actions of integrations, on entities that others own.
        ([{"action": "nuki.lock_n_go", "data": {"entity_id": "lock.x"}}], True),
        ([{"action": "nuki.lock_n_go", "target": {"area_id": "hall"}}], True),
        ([{"action": "nuki.lock_n_go", "target": {"entity_id": "{{ x }}"}}], True),
        (
            [{"action": "elkm1.code", "data": {"entity_id": "alarm_control_panel.x"}}],
            True,
        ),
        # Those of an entity domain leave the lock of an area alone.
        ([{"action": "light.turn_on", "target": {"area_id": "hall"}}], False),
        # Those that only look.
        ([{"action": "logbook.log", "data": {"entity_id": "lock.x"}}], False),
        ([{"action": "logbook.log", "data": {"entity_id": "{{ x }}"}}], False),
        (
            [
                {
                    "action": "homeassistant.update_entity",
                    "data": {"entity_id": "lock.x"},
                }
            ],
            False,
        ),
        # Those that may do anything.
        ([{"action": "shell_command.open_gate"}], True),
        ([{"action": "rest_command.open_gate"}], True),
        ([{"action": "mqtt.publish", "data": {"topic": "gate/set"}}], True),
        ([{"action": "scene.turn_on", "data": {"entity_id": "scene.doors"}}], True),
    ],
)
async def test_actions_of_other_domains_open_too(
    hass: HomeAssistant,
    home: Home,  # noqa: ARG001 - has the entities
    monkeypatch: pytest.MonkeyPatch,
    sequence: list[dict[str, Any]],
    *,
    asked: bool,
) -> None:
    monkeypatch.setattr(
        "custom_components.clawd.home.scripts.entities_in_scene",
        lambda _hass, _entity_id: ["cover.doors"],
    )
    hass.states.async_set("cover.doors", "closed", {"entity_id": ["cover.garage"]})
    judge = Judge(hass, ())
    judge.add_steps(sequence_steps(hass, sequence))
    assert (bool(judge.found) or judge.unknown) is asked


@pytest.mark.parametrize("place", ["entity", "area"])
@labelled
async def test_a_group_does_not_hide_what_the_owner_labelled(
    hass: HomeAssistant, home: Home, place: str
) -> None:
    registry = er.async_get(hass)
    entry = registry.async_update_entity("switch.pump", hidden_by=HIDDEN)
    if place == "entity":
        registry.async_update_entity("switch.pump", labels={"careful"})
    else:
        assert entry.area_id is not None
        ar.async_get(hass).async_update(entry.area_id, labels={"careful"})
    attributes = {"entity_id": ["switch.pump"], "friendly_name": "Relays"}
    hass.states.async_set("switch.relays", "off", attributes)
    with home.run():
        told = await home.refused("HassTurnOn", name="Relays")
    assert told.startswith(f'{ASKED}"Pump"')


async def test_groups_are_followed_at_any_depth(
    hass: HomeAssistant, home: Home
) -> None:
    for depth in range(9):
        member = f"cover.group_{depth - 1}" if depth else "cover.garage"
        attributes = {"entity_id": [member], "friendly_name": f"Group {depth}"}
        hass.states.async_set(f"cover.group_{depth}", "closed", attributes)
    # A group may be its own member.
    hass.states.async_set("cover.curtain", "closed", {"entity_id": ["cover.curtain"]})
    with home.run():
        told = await home.refused("HassTurnOn", name="Group 8")
    assert told.startswith(f'{ASKED}"Garage"')


async def test_a_name_may_be_a_number(home: Home) -> None:
    with home.run():
        told = await home.refused("HassTurnOff", name=5)
    assert told.startswith("FAILED: No exposed entity matches")


@labelled
async def test_what_was_labelled_since_the_question_is_asked_for(
    hass: HomeAssistant, home: Home
) -> None:
    call = {"area": "Hall", "domain": ["lock", "light"]}
    with home.run():
        await home.refused("HassTurnOff", **call)
    er.async_get(hass).async_update_entity("light.hall_light", labels={"careful"})
    with home.run():
        told = await home.refused("HassTurnOff", **call)
    assert told.startswith(f'{ASKED}"Hall light", "Front door"')
    assert home.effects == []
