"""Events that a user fires by hand, with any data."""

from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED
from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.clawd.const import (
    DOMAIN,
    EVENT_HANDOFF,
    EVENT_QUESTION,
    EVENT_TOOL_CALL,
)
from custom_components.clawd.device_automation.devices import async_find_device_id
from custom_components.clawd.device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)
from custom_components.clawd.logbook import async_describe_events

from .states import ACTIVITY, state_of

FIELDS = (
    *("type", "name", "device_id", "entry_id", "subentry_id", "agent", "tool"),
    *("outcome", "entity_id", "domain", "code", "status", "text", "error"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1.5, "", "\ud800\x00\n", "x" * 100_000, "{{ 1 / 0 }}"),
    *([], {}, [None], [[]], {"a": {}}, ["light"], ["light.x", 5, "."], "light.x"),
)
ANY_DATA: list[dict[str, Any]] = [
    {},
    *(dict.fromkeys(FIELDS, value) for value in VALUES),
]


def lines(hass: HomeAssistant, event_type: str, data: dict[str, Any]) -> str:
    """Return the name and message of a line in the logbook."""
    found: dict[Any, Any] = {}
    async_describe_events(
        hass, lambda _, event, describe: found.update({event: describe})
    )
    line = found[event_type](Event(event_type, data))
    assert [*map(type, line.values())] == [str, str]
    return f"{line[LOGBOOK_ENTRY_NAME]} {line[LOGBOOK_ENTRY_MESSAGE]}"


@pytest.mark.parametrize("event_type", [EVENT_AGENT, EVENT_GATEWAY, EVENT_TOOL_CALL])
@pytest.mark.usefixtures("entry")
def test_the_logbook_has_a_line_of_any_data(
    hass: HomeAssistant, event_type: str
) -> None:
    done = {"type": "task_finished", "tool": "home_look", "outcome": "done"}
    changed = [done | {field: value} for field in FIELDS for value in VALUES]

    for data in (*ANY_DATA, *changed):
        assert len(lines(hass, event_type, data)) < 400


@pytest.mark.parametrize(
    ("event_type", "data", "line"),
    [
        (EVENT_AGENT, {}, "sent an event"),
        (EVENT_GATEWAY, {"type": ["connected"]}, "sent an event"),
        (EVENT_TOOL_CALL, {}, "could not use an unknown tool (unknown)"),
        (EVENT_TOOL_CALL, {"outcome": "done"}, "used an unknown tool"),
        (
            EVENT_TOOL_CALL,
            {"outcome": "done", "tool": "home_look", "entity_id": "camera.x"},
            "used home_look",
        ),
    ],
)
@pytest.mark.usefixtures("entry")
def test_a_line_without_details(
    hass: HomeAssistant, event_type: str, data: dict[str, Any], line: str
) -> None:
    assert lines(hass, event_type, data) == f"OpenClaw {line}"


@pytest.mark.parametrize(
    "event_type",
    [
        *(EVENT_AGENT, EVENT_GATEWAY, EVENT_TOOL_CALL, EVENT_HANDOFF, EVENT_QUESTION),
        *("clawd_task_finished", EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED),
    ],
)
async def test_readers_tolerate_any_data(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    event_type: str,
) -> None:
    told = async_mock_service(hass, "test", "tell")
    [subentry] = entry.subentries
    automations = [
        {
            "alias": kind,
            "triggers": {
                "trigger": "device",
                "domain": DOMAIN,
                "device_id": async_find_device_id(hass, entry, device),
                "type": kind,
            },
            "actions": {"action": "test.tell"},
        }
        for device, kind in (
            (subentry, AgentEvent.TASK_FINISHED),
            (entry.entry_id, GatewayEvent.CONNECTED),
        )
    ]
    config = {"automation": automations}
    assert await async_setup_component(hass, "automation", config)
    assert len(hass.states.async_all("automation")) == len(automations)
    before = state_of(hass, ACTIVITY)

    for data in ANY_DATA:
        hass.bus.async_fire(event_type, data)
        hass.bus.async_fire(event_type, data | {"subentry_id": subentry})
    await hass.async_block_till_done()

    assert told == []
    assert state_of(hass, ACTIVITY) == before
    assert "Traceback" not in caplog.text


async def test_an_event_by_hand_counts_if_it_is_right(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    [subentry] = entry.subentries
    data = {"type": "task_finished", "subentry_id": subentry, "name": {"a": []}}

    hass.bus.async_fire(EVENT_AGENT, data)
    await hass.async_block_till_done()

    assert state_of(hass, ACTIVITY).attributes["event_type"] == "task_finished"
