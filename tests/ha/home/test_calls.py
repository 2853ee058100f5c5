"""Calls of the home's tools."""

import asyncio
import logging
from types import MappingProxyType
from typing import Any

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.clawd.gateway import NodeCallError
from custom_components.clawd.home import limits

from .harness import SESSION, Home
from .tools import FakeApi, FakeTool

reads_only = pytest.mark.parametrize("home_settings", [{"home_access": "read"}])
other_api = pytest.mark.parametrize(
    "home_settings", [{"llm_hass_api": ["assist", "fake"], "sensitive": "allow"}]
)


async def test_a_light_is_turned_on_as_the_user_who_asked(
    hass: HomeAssistant, home: Home
) -> None:
    with home.run() as origin:
        await home.call("HassTurnOn", name="Kitchen light")

    state = hass.states.get("light.kitchen_light")
    assert state is not None
    assert state.state == "on"
    assert state.context.user_id == home.user
    assert state.context.parent_id == origin.context_id
    [event] = home.events
    assert event.context.id == state.context.id
    assert event.data["tool"].endswith("HassTurnOn")
    assert {**event.data, "duration": 0, "tool": ""} == {
        "entry_id": home.entry.entry_id,
        "subentry_id": home.subentry_id,
        "tool": "",
        "outcome": "done",
        "duration": 0,
        "entity_id": ["light.kitchen_light"],
        "user_id": home.user,
    }


async def test_the_state_is_read_as_data_without_an_event(home: Home) -> None:
    data = await home.data("GetLiveContext")

    assert "Front door" in str(data)
    assert home.events == []


async def test_both_names_of_an_action_are_taken(home: Home) -> None:
    await home.data("HassTurnOn", name="Kitchen light")
    [event] = home.events
    await home.data(event.data["tool"], name="Kitchen light")
    assert home.effects == ["on", "on"]


async def test_the_area_of_the_device_counts(
    hass: HomeAssistant, home: Home, kitchen_device: str
) -> None:
    registry = er.async_get(hass)
    for entity_id in ("light.kitchen_light", "light.hall_light"):
        registry.async_update_entity(entity_id, name="Lamp")
    await hass.async_block_till_done()

    with home.run():
        refused = await home.refused("HassTurnOn", name="Lamp")
    with home.run(device_id=kitchen_device):
        await home.call("HassTurnOn", name="Lamp")

    assert refused == "FAILED: No exposed entity matches (duplicate_name)."
    state = hass.states.get("light.kitchen_light")
    assert state is not None
    assert state.state == "on"


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        (None, {}, "INVALID_ARGUMENTS: The argument action is missing."),
        ("HassDance\n", {}, "UNKNOWN_ACTION: There is no action 'HassDance' here. "),
        ("HassSetPosition", {}, "lacks the argument position."),
        (
            "HassTurnOn",
            {"name": "Kitchen light", "colour": "red"},
            "HassTurnOn has no argument 'colour'. It takes: name, area, floor,",
        ),
        (
            "HassSetPosition",
            {"name": "Curtain", "position": "high"},
            "The argument position of HassSetPosition is not valid: ",
        ),
        (
            "HassTurnOn",
            {"area": "Kitchen", "device_class": ["zzz"]},
            "The argument device_class.0 of HassTurnOn is not valid: ",
        ),
    ],
)
async def test_a_wrong_argument_is_named(
    home: Home, action: str | None, arguments: dict[str, Any], message: str
) -> None:
    with home.run():
        assert message in await home.refused(action, **arguments)
    assert home.effects == []
    assert "HassDance" not in str(home.events)


async def test_blank_arguments_count_as_left_out(home: Home) -> None:
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light", area=" ", floor=None)
    assert home.effects == ["on"]


@reads_only
async def test_an_agent_that_may_read_controls_nothing(home: Home) -> None:
    await home.data("GetLiveContext")
    with home.run():
        told = await home.refused("HassTurnOn", name="Kitchen light")
        other = await home.refused("HassTurnOn", name="Hall light", tool="home_state")

    assert told == "NOT_ALLOWED: This agent may read the home, but not control it."
    assert other == "UNKNOWN_ACTION: HassTurnOn is an action of home_control."
    assert home.effects == []
    assert home.actions("home_control") == []


async def test_an_action_that_controls_is_none_of_the_tool_that_reads(
    home: Home,
) -> None:
    with home.run():
        refused = await home.refused(
            "HassTurnOn", tool="home_state", name="Kitchen light"
        )
        await home.call("GetDateTime", tool="home_control")

    assert refused.startswith("UNKNOWN_ACTION")
    assert home.effects == []


async def test_exposure_that_ended_counts_at_once(
    hass: HomeAssistant, home: Home
) -> None:
    async_expose_entity(
        hass, "conversation", "light.kitchen_light", should_expose=False
    )
    with home.run():
        refused = await home.refused("HassTurnOn", name="Kitchen light")

    assert refused == "FAILED: No exposed entity matches (assistant)."
    assert home.effects == []


async def test_a_renamed_entity_is_found_by_its_new_name_only(
    hass: HomeAssistant, home: Home
) -> None:
    er.async_get(hass).async_update_entity("light.kitchen_light", name="Sun")
    await hass.async_block_till_done()
    with home.run():
        refused = await home.refused("HassTurnOn", name="Kitchen light")
        await home.call("HassTurnOn", name="Sun")

    assert refused == "FAILED: No exposed entity matches (name)."
    assert home.effects == ["on"]


async def test_a_user_who_may_only_read_has_nothing_controlled(
    hass: HomeAssistant, home: Home
) -> None:
    group = await hass.auth.async_get_group(GROUP_ID_READ_ONLY)
    assert group is not None
    guest = MockUser(groups=[group]).add_to_hass(hass)
    with home.run(user_id=guest.id):
        await home.call("GetLiveContext")
        refused = await home.refused("HassTurnOn", name="Kitchen light")

    assert refused.startswith("NOT_ALLOWED: The user who asked has no permission")
    assert home.effects == []


async def test_a_user_with_some_entities_has_those_controlled(
    hass: HomeAssistant, home: Home
) -> None:
    guest = MockUser(groups=[]).add_to_hass(hass)
    guest.mock_policy({"entities": {"entity_ids": {"light.kitchen_light": True}}})
    with home.run(user_id=guest.id):
        await home.call("HassTurnOn", name="Kitchen light")
        other = await home.refused("HassTurnOn", domain=["light"])
        script = await home.refused("welcome", room="Kitchen")
        reading = await home.refused("GetLiveContext")

    assert home.effects == ["on"]
    for refused in (other, script, reading):
        assert "has no permission" in refused


@pytest.mark.parametrize("active", [None, False])
async def test_a_user_who_is_gone_has_nothing_done(
    hass: HomeAssistant, home: Home, *, active: bool | None
) -> None:
    user = MockUser(is_active=False).add_to_hass(hass)
    with home.run(user_id="gone" if active is None else user.id):
        refused = await home.refused("GetDateTime")

    assert "not known to Home Assistant any more" in refused


async def test_an_automation_has_no_user_and_all_rights(home: Home) -> None:
    with home.run(user_id=None, person=False):
        await home.call("HassTurnOn", name="Kitchen light")
    assert home.effects == ["on"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (HomeAssistantError("no such\nthing"), "FAILED: no such thing"),
        (vol.Invalid("not so"), "INVALID_ARGUMENTS: not so"),
        (RuntimeError("secret"), "FAILED: The tool failed in Home Assistant."),
        (TimeoutError(), "FAILED: The tool failed in Home Assistant."),
        (NodeCallError("X", "y"), "FAILED: The tool failed in Home Assistant."),
    ],
)
@other_api
async def test_the_error_of_a_tool_is_told_but_not_its_traceback(
    hass: HomeAssistant,
    home: Home,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    told: str,
) -> None:
    FakeApi.register(hass, FakeTool("poke", error=error))
    with home.run():
        assert (await home.refused("poke")).startswith(told)

    assert "secret" not in caplog.text
    unexpected = not isinstance(error, HomeAssistantError | vol.Invalid)
    counted = home.service.statistics.exceptions
    assert counted == ({type(error).__name__: 1} if unexpected else {})


@other_api
async def test_a_call_ends_at_its_deadline(hass: HomeAssistant, home: Home) -> None:
    FakeApi.register(hass, FakeTool("wait", wait=asyncio.Event()))
    with home.run():
        refused = await home.refused("wait", timeout=0)

    assert refused.startswith("TIMEOUT: Home Assistant did not finish in time")
    assert home.events[-1].data["outcome"] == "timeout"


@other_api
async def test_a_cancelled_call_is_counted(hass: HomeAssistant, home: Home) -> None:
    tool = FakeTool("wait", wait=asyncio.Event())
    FakeApi.register(hass, tool)
    with home.run():
        task = hass.async_create_task(home.call("wait"))
        await tool.called.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert home.service.statistics.outcomes == {"cancelled": 1}


@other_api
async def test_an_error_in_a_result_is_data(hass: HomeAssistant, home: Home) -> None:
    FakeApi.register(hass, FakeTool("poke", result={"error": "no"}))
    assert await home.data("poke") == {"error": "no"}


@other_api
async def test_a_long_result_is_not_cut(hass: HomeAssistant, home: Home) -> None:
    long_result = {"text": "x" * 60_000}
    FakeApi.register(
        hass,
        FakeTool("look", result=long_result, read_only=True),
        FakeTool("poke", result=long_result),
    )
    assert "too long" in await home.data("poke")
    if FakeTool.annotated:
        with home.run():
            assert "Ask for less" in await home.refused("look")


async def test_nothing_is_called_while_home_assistant_starts_or_stops(
    hass: HomeAssistant, home: Home
) -> None:
    for state in (CoreState.starting, CoreState.stopping):
        hass.set_state(state)
        with home.run():
            refused = await home.refused("HassTurnOn", name="Kitchen light")
        hass.set_state(CoreState.running)
        assert refused == "NODE_NOT_READY: Home Assistant is not running yet."
    assert home.effects == []
    assert home.events == []


async def test_a_run_controls_only_so_often(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_CALLS_OF_RUN", 4)
    with home.run():
        for _ in range(3):
            await home.call("HassTurnOn", name="Kitchen light")
        same = await home.refused("HassTurnOn", name="Kitchen light")
        await home.call("HassTurnOff", name="Kitchen light")
        other = await home.refused("HassTurnOn", name="Hall light")
        await home.call("GetDateTime")
    with home.run():
        await home.call("HassTurnOn", name="Hall light")

    assert "TOO_MANY_CALLS" in same
    assert "the same call at most 3 times a run" in same
    assert "at most 4 control calls a run" in other
    assert home.service.statistics.outcomes["too_many_calls"] == 2


async def test_an_entry_controls_only_so_often(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_CALLS_OF_WINDOW", 1)
    monkeypatch.setattr(limits, "MAX_RUNS", 1)
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light")
    with home.run():
        refused = await home.refused("HassTurnOn", name="Hall light")
        monkeypatch.setattr(limits, "WINDOW", 0)
        await home.call("HassTurnOn", name="Hall light")

    assert "at most 1 control calls a minute" in refused


async def test_the_settings_of_the_runs_own_agent_count(
    hass: HomeAssistant, home: Home
) -> None:
    first = home.entry.subentries[home.subentry_id]
    other = ConfigSubentry(
        data=MappingProxyType({**first.data, "home_access": "none"}),
        subentry_type="conversation",
        title="Second",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(home.entry, other)
    await hass.async_block_till_done()
    with home.run(subentry_id=other.subentry_id):
        refused = await home.refused("HassTurnOn", name="Kitchen light")
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light")

    assert refused == "NOT_ALLOWED: This agent has no access to the home."
    assert home.effects == ["on"]


async def test_a_call_after_the_run_is_from_elsewhere(home: Home) -> None:
    with home.run():
        pass
    refused = await home.refused("HassTurnOn", name="Kitchen light")

    assert "only in conversations that were started in Home Assistant" in refused
    assert SESSION not in str(home.events)


async def test_names_of_scripts_stay_out_of_the_log(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.clawd")
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light")
        await home.call("welcome", room="Kitchen")
    messages = [record.getMessage() for record in caplog.records]
    calls = [text for text in messages if text.startswith("Tool call:")]
    assert calls == ["Tool call: HassTurnOn done", "Tool call: another tool done"]
