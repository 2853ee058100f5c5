"""Events of a Gateway."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.device_automation.devices import async_find_device_id
from custom_components.clawd.device_automation.events import EVENT_GATEWAY
from custom_components.clawd.reports import Status
from custom_components.clawd.selftest import drill_tools
from tests.simulator import GatewaySimulator, Refusal

from .asking import approve
from .check_stubs import check_stub, run_stubs
from .events import types
from .self_test import run_self_test
from .states import CONNECTIVITY, wait_for_state


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event[Any]]:
    """Return the events of Gateways."""
    return async_capture_events(hass, EVENT_GATEWAY)


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_lost_connection_and_its_return_are_told_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    assert events == []
    gateway.refuse(Refusal.STARTING_HTTP, times=2)
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")

    common = {
        "device_id": async_find_device_id(hass, entry, entry.entry_id),
        "entry_id": entry.entry_id,
    }
    assert common["device_id"]
    assert [event.data for event in events] == [
        {"type": "connection_lost", **common, "code": "1006"},
        {"type": "connected", **common},
    ]


async def test_a_reload_is_none(
    hass: HomeAssistant, entry: MockConfigEntry, events: list[Event[Any]]
) -> None:
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()

    assert events == []


@pytest.mark.usefixtures("entry")
async def test_a_drill_is_none(
    hass: HomeAssistant, events: list[Event[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill_tools, "MAX_WAITED_DELAY", 0)

    report = await run_self_test(
        hass, mode="drill", checks=["task_growth", "entry_reload"]
    )

    assert report["status"] == "pass"
    assert events == []


async def test_new_scopes_are_none(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    hass.config_entries.async_update_entry(entry, options={"ask_questions": True})
    await hass.async_block_till_done()

    await approve(gateway, entry)

    assert events == []


async def test_a_gateway_that_comes_after_home_assistant_is_told(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    loaded: list[ConfigEntryState] = []

    @callback
    def note(_: Event[Any]) -> None:
        loaded.append(new_entry.state)

    await gateway.suspend()
    assert not await hass.config_entries.async_setup(new_entry.entry_id)
    assert events == []
    hass.bus.async_listen(EVENT_GATEWAY, note)

    await gateway.resume()
    assert await hass.config_entries.async_reload(new_entry.entry_id)
    await hass.async_block_till_done()

    assert types(events) == ["connected"]
    # Whoever asks an agent then, can.
    assert loaded == [ConfigEntryState.LOADED]


async def test_a_gateway_that_is_gone_after_a_reload_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await gateway.suspend()
    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert types(events) == ["connection_lost"]


@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
async def test_each_failed_self_test_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    events: list[Event[Any]],
    status: Status,
) -> None:
    await run_stubs(hass, entry, check_stub(Status.PASS))
    await run_stubs(hass, entry, check_stub(Status.WARN))
    assert events == []

    for _ in range(2):
        await run_stubs(hass, entry, check_stub(status))

    assert types(events) == ["self_test_failed"] * 2
    assert events[0].data["failed_checks"] == ["stub"]
    assert events[0].data["status"] == status
