"""Logbook entries of agents and Gateways."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import (
    Event,
    HomeAssistant,
    callback,
    split_entity_id,
    valid_entity_id,
)

from .const import DOMAIN, EVENT_TOOL_CALL
from .device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)
from .home.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What an intent does to entities of a domain; "" stands for the others.
VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "HassTurnOn": {
        "": "turned on",
        "button": "pressed",
        "cover": "opened",
        "input_button": "pressed",
        "lock": "locked",
        "scene": "activated",
        "script": "ran",
        "valve": "opened",
    },
    "HassTurnOff": {
        "": "turned off",
        "cover": "closed",
        "lock": "unlocked",
        "valve": "closed",
    },
    "HassOpenCover": {"": "opened"},
    "HassCloseCover": {"": "closed"},
    "HassToggle": {"": "toggled"},
    "HassLightSet": {"": "changed"},
    "HassSetPosition": {"": "moved"},
    "HassStopMoving": {"": "stopped"},
    "HassClimateSetTemperature": {"": "set the temperature of"},
    "home_announce": {"": "spoke on"},
    "home_ask": {"": "asked on"},
    "home_look": {"": "looked at"},
}
MESSAGES: Final[Mapping[str, str]] = {
    AgentEvent.REPLY: "replied",
    AgentEvent.TASK_FINISHED: "finished a task",
    AgentEvent.TASK_FAILED: "failed at a task",
    AgentEvent.QUESTION: "asked a question",
    AgentEvent.MESSAGE_FROM_ELSEWHERE: "sent an unsolicited message",
    GatewayEvent.CONNECTED: "is connected again",
    GatewayEvent.CONNECTION_LOST: "lost its connection",
    GatewayEvent.SELF_TEST_FAILED: "failed its self-test",
}
DONE: Final = "done"
# Message of an event without a type.
UNKNOWN: Final = "sent an event"
MAX_NAMES: Final = 3
# Characters of a field, such as the name of a task.
MAX_TEXT: Final = 128


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[Event[Any]], dict[str, str]]], None
    ],
) -> None:
    """Describe the events of the integration."""

    @callback
    def describe_call(event: Event[Any]) -> dict[str, str]:
        return {
            LOGBOOK_ENTRY_NAME: _name(hass, event.data),
            LOGBOOK_ENTRY_MESSAGE: _message(hass, event.data),
        }

    @callback
    def describe(event: Event[Any]) -> dict[str, str]:
        return {
            LOGBOOK_ENTRY_NAME: _name(hass, event.data),
            LOGBOOK_ENTRY_MESSAGE: _event_message(event.data),
        }

    async_describe_event(DOMAIN, EVENT_TOOL_CALL, describe_call)
    async_describe_event(DOMAIN, EVENT_AGENT, describe)
    async_describe_event(DOMAIN, EVENT_GATEWAY, describe)


def _event_message(data: Mapping[str, Any]) -> str:
    kind = _text(data, "type")
    message = MESSAGES.get(kind, kind or UNKNOWN)
    name = _text(data, "name")
    return f"{message}: {name}" if name else message


def _name(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    entry = hass.config_entries.async_get_entry(_text(data, "entry_id"))
    if entry is None:
        return "OpenClaw"
    subentry = entry.subentries.get(_text(data, "subentry_id"))
    return subentry.title if subentry else entry.title


def _message(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    tool = _text(data, "tool").rpartition("__")[2]
    entity_ids = _entity_ids(data)
    outcome = _text(data, "outcome")
    if outcome != DONE:
        return f"could not use {tool or 'an unknown tool'} ({outcome or 'unknown'})"
    domains = {split_entity_id(entity_id)[0] for entity_id in entity_ids}
    verbs = VERBS.get(tool, {})
    verb = verbs.get("".join(domains)) if len(domains) == 1 else None
    verb = verb or verbs.get("")
    names = _names(hass, entity_ids)
    if verb and names:
        return f"{verb} {names}"
    used = f"used {tool or 'an unknown tool'}"
    return f"{used} on {names}" if names else used


def _names(hass: HomeAssistant, entity_ids: list[str]) -> str:
    if len(entity_ids) > MAX_NAMES:
        return f"{len(entity_ids)} entities"
    states = map(hass.states.get, entity_ids)
    names = [state.name for state in states if state]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _text(data: Mapping[str, Any], field: str) -> str:
    """Return a field on one line; empty if it is no text.

    Anyone may fire an event, with any data.
    """
    value = data.get(field)
    return one_line(value, MAX_TEXT) if isinstance(value, str) else ""


def _entity_ids(data: Mapping[str, Any]) -> list[str]:
    match data.get("entity_id"):
        case list(ids):
            return [one for one in ids if isinstance(one, str) and valid_entity_id(one)]
    return []
