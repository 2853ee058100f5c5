"""Event entity of the self-test."""

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.reports import Status

from .check_stubs import check_stub, run_stubs
from .states import SELF_TEST_EVENT


def _state(hass: HomeAssistant) -> State:
    state = hass.states.get(SELF_TEST_EVENT)
    assert state
    return state


@pytest.mark.parametrize(
    ("status", "event_type", "failed_checks"),
    [
        ("pass", "passed", []),
        ("warn", "warned", []),
        ("fail", "failed", ["stub"]),
        ("error", "error", ["stub"]),
    ],
)
async def test_each_end_has_its_event(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    status: str,
    event_type: str,
    failed_checks: list[str],
) -> None:
    assert _state(hass).state == STATE_UNKNOWN

    await run_stubs(
        hass, entry, check_stub(Status(status)), check_stub(Status.SKIP, "skipped")
    )

    attributes = _state(hass).attributes
    assert event_type in attributes["event_types"]
    assert attributes["event_type"] == event_type
    assert attributes["failed_checks"] == failed_checks
    assert attributes[status] == attributes["skip"] == 1


async def test_each_self_test_has_its_own(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    await run_stubs(hass, entry, check_stub(Status.PASS))
    first = _state(hass).state
    freezer.tick()
    await run_stubs(hass, entry, check_stub(Status.PASS))

    assert _state(hass).state != first


async def test_a_reload_is_no_event(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await run_stubs(hass, entry, check_stub(Status.FAIL))
    before = _state(hass)

    assert await hass.config_entries.async_reload(entry.entry_id)

    assert _state(hass).state == before.state
    assert _state(hass).attributes["event_type"] == "failed"


async def test_it_is_for_diagnosis(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    registered = er.async_get(hass).async_get(SELF_TEST_EVENT)

    assert registered
    assert registered.unique_id == f"{entry.entry_id}_self_test"
    assert registered.entity_category is EntityCategory.DIAGNOSTIC
