"""Logbook entries of agents and Gateways."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)
from custom_components.clawd.logbook import MESSAGES, async_describe_events
from custom_components.clawd.reports import Status
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import cleaned_up
from .check_stubs import check_stub, run_stubs
from .states import AGENT


def lines(hass: HomeAssistant, event: Event[Any]) -> str:
    """Return the line of an event."""
    found: dict[Any, Any] = {}
    async_describe_events(
        hass, lambda _, event, describe: found.update({event: describe})
    )
    entry = found[event.event_type](event)
    return f"{entry['name']} {entry['message']}"


def test_every_type_has_its_message() -> None:
    assert set(MESSAGES) == {*AgentEvent, *GatewayEvent}


async def test_a_failed_self_test_has_a_line(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    events = async_capture_events(hass, EVENT_GATEWAY)

    await run_stubs(hass, entry, check_stub(Status.FAIL))

    assert [lines(hass, event) for event in events] == [
        "OpenClaw Gateway failed its self-test"
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [({}, "main finished a task"), ({"name": "pump"}, "main finished a task: pump")],
)
async def test_a_finished_task_has_a_line(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    name: dict[str, str],
    line: str,
) -> None:
    events = async_capture_events(hass, EVENT_AGENT)
    gateway.script(Reply("Done."))

    data = {"agent": AGENT, "text": "Look.", **name}
    await hass.services.async_call(DOMAIN, "start_task", data, blocking=True)
    await cleaned_up(entry)

    assert [lines(hass, event) for event in events] == [line]


@pytest.mark.usefixtures("entry")
async def test_an_event_of_a_later_version_has_a_line(hass: HomeAssistant) -> None:
    event: Event[Any] = Event(EVENT_AGENT, {"type": "sang"})
    assert lines(hass, event) == "OpenClaw sang"
