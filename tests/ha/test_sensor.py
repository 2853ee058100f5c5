"""Sensors of the last self-test."""

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.reports import Status
from custom_components.clawd.runtime.report_history import MAX_REPORTS
from tests.simulator import GatewaySimulator

from .check_stubs import check_stub, run_stubs
from .self_test import run_self_test
from .states import CONNECTIVITY, PROBLEM, SELF_TEST, state_of, wait_for_state

COUNTS = {"pass", "warn", "fail", "skip", "error"}


@pytest.mark.usefixtures("entry")
async def test_nothing_is_known_before_the_first(hass: HomeAssistant) -> None:
    assert state_of(hass, SELF_TEST).state == STATE_UNKNOWN
    assert state_of(hass, PROBLEM).state == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("status", "problem"),
    [("pass", STATE_OFF), ("warn", STATE_OFF), ("fail", STATE_ON), ("error", STATE_ON)],
)
async def test_they_say_how_the_last_one_ended(
    hass: HomeAssistant, entry: MockConfigEntry, status: str, problem: str
) -> None:
    report = await run_stubs(hass, entry, check_stub(Status(status)))

    state = state_of(hass, SELF_TEST)
    assert state.state == status
    assert state.state in state.attributes["options"]
    assert state.attributes["liveness"] == status
    assert state.attributes["readiness"] == "pass"
    assert state.attributes["started_at"] == report["started_at"]
    assert {name: state.attributes[name] for name in COUNTS} == {
        name: int(name == status) for name in COUNTS
    }
    assert state_of(hass, PROBLEM).state == problem


async def test_a_gateway_that_is_away_is_seen_too(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    await run_self_test(hass, config_entry=entry.entry_id)

    state = state_of(hass, SELF_TEST)
    assert state.state == "fail"
    assert state.attributes["liveness"] == "pass"
    assert state.attributes["readiness"] == "fail"


async def test_the_details_are_not_recorded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await run_self_test(hass, config_entry=entry.entry_id)

    state = state_of(hass, SELF_TEST)
    assert state.state_info
    own = {"liveness", "readiness", "mode", "started_at"} | COUNTS
    assert own <= state.attributes.keys() & state.state_info["unrecorded_attributes"]


async def test_they_remember_over_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await run_stubs(hass, entry, check_stub(Status.WARN))

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert state_of(hass, SELF_TEST).state == "warn"
    assert state_of(hass, PROBLEM).state == STATE_OFF


async def test_the_last_ten_reports_are_kept(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    reports = [
        await run_stubs(hass, entry, check_stub(Status.PASS, f"number_{n}"))
        for n in range(MAX_REPORTS + 2)
    ]
    assert await hass.config_entries.async_reload(entry.entry_id)

    assert list(entry.runtime_data.reports.reports) == reports[2:]


async def test_they_are_for_diagnosis(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    for entity_id in (SELF_TEST, PROBLEM):
        registered = er.async_get(hass).async_get(entity_id)
        assert registered
        assert registered.unique_id == f"{entry.entry_id}_self_test"
        assert registered.entity_category is EntityCategory.DIAGNOSTIC
        assert registered.translation_key == "self_test"


async def test_a_self_test_that_outlives_its_entry_is_not_kept(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, object],
) -> None:
    gateway.hold("health")
    test = hass.async_create_task(run_self_test(hass, config_entry=entry.entry_id))
    await gateway.wait_for_request("health")

    assert await hass.config_entries.async_remove(entry.entry_id)
    await test

    assert f"clawd.self_tests.{entry.entry_id}" not in hass_storage
    gateway.release("health")
