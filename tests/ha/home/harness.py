"""Calls of the home's tools."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
import json
from typing import Any

from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.core import Context, Event, HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.const import EVENT_TOOL_CALL
from custom_components.clawd.gateway import Json, NodeCall, NodeCallError, NodeTool
from custom_components.clawd.home.origin import CallOrigin
from custom_components.clawd.home.service import HomeService, get_home

SESSION = "agent:main:ha-1234"
_IDS = count()


def _opposite(state: str) -> list[dict[str, Any]]:
    return [{"event": "done", "event_data": {"state": state}}]


TEMPLATES: list[dict[str, Any]] = [
    {
        "light": [
            {
                "name": name,
                "unique_id": name,
                "turn_on": _opposite("on"),
                "turn_off": _opposite("off"),
                "set_level": _opposite("level"),
            }
            for name in ("Kitchen light", "Hall light")
        ],
        "switch": [
            {
                "name": "Pump",
                "unique_id": "pump",
                "turn_on": _opposite("on"),
                "turn_off": _opposite("off"),
            }
        ],
        "lock": [
            {
                "name": "Front door",
                "unique_id": "front",
                "state": "{{ 'locked' }}",
                "lock": _opposite("locked"),
                "unlock": _opposite("unlocked"),
            }
        ],
        "cover": [
            {
                "name": name,
                "unique_id": name,
                "device_class": device_class,
                "open_cover": _opposite("open"),
                "close_cover": _opposite("closed"),
                "stop_cover": _opposite("stopped"),
                "set_cover_position": _opposite("moved"),
            }
            for name, device_class in (("Garage", "garage"), ("Curtain", "curtain"))
        ],
        "alarm_control_panel": [
            {
                "name": "Alarm",
                "unique_id": "alarm",
                "state": "{{ 'armed_away' }}",
                "code_arm_required": False,
                "disarm": _opposite("disarmed"),
                "arm_away": _opposite("armed"),
            }
        ],
    },
]


def _call(action: str, entity_id: str | None = None, **data: object) -> dict[str, Any]:
    target = {"target": {"entity_id": entity_id}} if entity_id else {}
    return {"action": action, **target, **({"data": data} if data else {})}


SCRIPTS: dict[str, Any] = {
    "welcome": {
        "alias": "Welcome",
        "description": "Light the way.",
        "fields": {
            "room": {
                "description": "Where",
                "required": True,
                "selector": {"text": {}},
            },
            "action": {"description": "What", "selector": {"text": {}}},
        },
        "sequence": [{"event": "welcome"}],
    },
    "let_in": {"sequence": [_call("lock.unlock", "lock.front_door")]},
    "let_in_later": {
        "sequence": [{"if": [], "then": [_call("script.let_in")], "else": []}]
    },
    "anything": {"sequence": [_call("{{ what }}")]},
    "light_up": {"sequence": [_call("light.turn_on", "light.kitchen_light")]},
}


class WaterValve(ValveEntity):
    """Valve of the water, which a template cannot be."""

    _attr_name = "Water"
    _attr_unique_id = "water"
    _attr_is_closed = True
    _attr_reports_position = False
    _attr_supported_features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE

    async def async_open_valve(self) -> None:
        """Open."""
        self.hass.bus.async_fire("done", {"state": "water"})

    async def async_close_valve(self) -> None:
        """Close."""
        self.hass.bus.async_fire("done", {"state": "dry"})


class Host:
    """Node with immediate publication."""

    def __init__(self) -> None:
        """Initialize without tools."""
        self.lists: list[tuple[NodeTool, ...]] = []
        self.published: tuple[str, ...] = ()

    def set_tools(self, tools: Sequence[NodeTool]) -> None:
        """Publish tools."""
        self.lists.append(tuple(tools))
        self.published = tuple(tool.name for tool in tools)


class Home:
    """Home of an entry, and the calls of its agent."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, user: str) -> None:
        """Attach a node to the entry."""
        self.hass = hass
        self.entry = entry
        self.user = user
        self.host = Host()
        self.service.async_attach(self.host)
        self.events: list[Event[Any]] = async_capture_events(hass, EVENT_TOOL_CALL)
        self.done: list[Event[Any]] = async_capture_events(hass, "done")

    @property
    def service(self) -> HomeService:
        """Return the service of the entry."""
        service = get_home(self.entry)
        assert service is not None
        return service

    @property
    def subentry_id(self) -> str:
        """Return the id of the first agent."""
        return next(iter(self.entry.subentries))

    @property
    def effects(self) -> list[str]:
        """Return and reset the effects on entities."""
        states = [event.data["state"] for event in self.done]
        self.done.clear()
        return states

    @contextmanager
    def run(
        self, key: str = SESSION, *, person: bool = True, **origin: object
    ) -> Iterator[CallOrigin]:
        """Run an agent in a session."""
        values: dict[str, Any] = {
            "subentry_id": self.subentry_id,
            "conversation_id": "1",
            "language": "en",
            "user_id": self.user,
            "context_id": Context().id,
            "by_person": person,
            **origin,
        }
        with self.service.origins.run(key, CallOrigin(**values)) as started:
            yield started

    async def call(
        self,
        action: Json,
        *,
        key: str | None = SESSION,
        tool: str | None = None,
        timeout: float = 5.0,
        **arguments: Json,
    ) -> str:
        """Call a tool and return the result."""
        call = NodeCall(
            str(next(_IDS)), tool, {"action": action, **arguments}, key, timeout
        )
        result = await self.service.async_handle(call)
        await self.hass.async_block_till_done()
        return result

    async def data(self, action: str, **arguments: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a tool in a run of its own and return its data."""
        with self.run():
            return json.loads(await self.call(action, **arguments))["home_data"]

    async def refused(self, action: Json, **arguments: Any) -> str:  # noqa: ANN401 - as for `call`
        """Return the error of a failed call."""
        try:
            result = await self.call(action, **arguments)
        except NodeCallError as err:
            await self.hass.async_block_till_done()
            return f"{err.code}: {err.message}"
        raise AssertionError(result)

    def tool(self, name: str) -> NodeTool:
        """Return a published tool."""
        return next(tool for tool in self.host.lists[-1] if tool.name == name)

    def actions(self, name: str) -> list[str]:
        """Return the actions of a published tool; none without it."""
        for tool in self.host.lists[-1]:
            if tool.name == name:
                properties: Any = tool.parameters["properties"]
                return list(properties["action"]["enum"])
        return []
