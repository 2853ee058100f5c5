"""Logbook entries of agents and Gateways."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback, split_entity_id

from .const import DOMAIN, EVENT_TOOL_CALL
from .device_automation.events import (
    EVENT_AGENT,
    EVENT_GATEWAY,
    AgentEvent,
    GatewayEvent,
)

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
MAX_NAMES: Final = 3


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
    message = MESSAGES.get(data["type"], data["type"])
    name = data.get("name")
    return f"{message}: {name}" if name else message


def _name(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    entry = hass.config_entries.async_get_entry(data.get("entry_id") or "")
    if entry is None:
        return "OpenClaw"
    subentry = entry.subentries.get(data.get("subentry_id") or "")
    return subentry.title if subentry else entry.title


def _message(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    tool = (data.get("tool") or "").rpartition("__")[2]
    entity_ids = data.get("entity_id") or []
    outcome = data.get("outcome")
    if outcome != DONE:
        return f"could not use {tool or 'an unknown tool'} ({outcome})"
    domains = {split_entity_id(entity_id)[0] for entity_id in entity_ids}
    verbs = VERBS.get(tool, {})
    verb = verbs.get("".join(domains)) if len(domains) == 1 else None
    verb = verb or verbs.get("")
    names = _names(hass, entity_ids)
    if verb and names:
        return f"{verb} {names}"
    return f"used {tool} on {names}" if names else f"used {tool}"


def _names(hass: HomeAssistant, entity_ids: list[str]) -> str:
    if len(entity_ids) > MAX_NAMES:
        return f"{len(entity_ids)} entities"
    states = map(hass.states.get, entity_ids)
    names = [state.name for state in states if state]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
