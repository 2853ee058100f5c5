"""Target entities of a call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.helpers import entity_registry as er, intent, llm

from .apis import ASSISTANT, intent_handler, intent_type, is_additive

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .tools import HomeTool

# Intents of Home Assistant without an entity.
TIMER_INTENTS: Final = frozenset(
    {
        intent.INTENT_START_TIMER,
        intent.INTENT_CANCEL_TIMER,
        intent.INTENT_CANCEL_ALL_TIMERS,
        intent.INTENT_INCREASE_TIMER,
        intent.INTENT_DECREASE_TIMER,
        intent.INTENT_PAUSE_TIMER,
        intent.INTENT_UNPAUSE_TIMER,
        intent.INTENT_TIMER_STATUS,
        intent.INTENT_BROADCAST,
    }
)
# A timer with this argument runs any sentence, without asking an agent.
TIMER_COMMAND: Final = "conversation_command"
SCRIPT: Final = "script"
# Name that matches every entity, see `DynamicServiceIntentHandler`.
ALL: Final = "all"
HANDLERS_OF_HOME_ASSISTANT: Final = (
    "homeassistant.components.",
    "homeassistant.helpers.",
)


@dataclass(frozen=True, slots=True)
class Targets:
    """Target entities of a call.

    Attributes:
        complete: nothing else would be touched.

    """

    entity_ids: frozenset[str] = frozenset()
    complete: bool = True


def resolve_targets(
    hass: HomeAssistant, tool: HomeTool, arguments: Mapping[str, Any]
) -> Targets:
    """Return the possible targets of a call."""
    if intent_name := intent_type(tool.tool):
        return _intent_targets(hass, intent_name, arguments)
    if isinstance(tool.tool, llm.ActionTool):
        script = _script_of(hass, tool.tool)
        return Targets(
            frozenset({script}) if script else frozenset(), script is not None
        )
    return Targets(complete=is_additive(tool.tool))


def with_members(hass: HomeAssistant, entity_ids: Iterable[str]) -> frozenset[str]:
    """Expand groups to their members."""
    found: set[str] = set()
    added = set(entity_ids)
    while added:
        found |= added
        states = filter(None, map(hass.states.get, added))
        members = {
            member
            for state in states
            for member in _texts(state.attributes.get(ATTR_ENTITY_ID))
        }
        added = members - found
    return frozenset(found)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list | tuple | set):
        return []
    return [item for item in value if isinstance(item, str)]


def _intent_targets(
    hass: HomeAssistant, name: str, arguments: Mapping[str, Any]
) -> Targets:
    """Match entities by intent slots.

    Home Assistant prefers the asker's area where two entities share a name; here, both
    count as touched.
    """
    if name in TIMER_INTENTS:
        return Targets(complete=TIMER_COMMAND not in arguments)
    handler = intent_handler(hass, name)
    if handler is None:
        return Targets(complete=False)
    domains = _set(arguments.get("domain"))
    if domains is None:
        domains = getattr(handler, "required_domains", None) or handler.platforms
    constraints = intent.MatchTargetsConstraints(
        name=None if arguments.get("name") == ALL else _text(arguments.get("name")),
        area_name=_text(arguments.get("area")),
        floor_name=_text(arguments.get("floor")),
        domains=domains,
        device_classes=_set(arguments.get("device_class")),
        assistant=ASSISTANT,
        allow_duplicate_names=True,
    )
    # Only Home Assistant's own handlers are known to touch just the matches.
    own = type(handler).__module__.startswith(HANDLERS_OF_HOME_ASSISTANT)
    complete = own and not hasattr(handler, "config")
    if not constraints.has_constraints:
        return Targets(complete=complete)
    states = intent.async_match_targets(hass, constraints).states
    return Targets(frozenset(state.entity_id for state in states), complete)


def _text(value: object) -> str | None:
    """Coerce a value to text.

    As Home Assistant's validation does.
    """
    return None if value is None else str(value)


def _set(value: object) -> set[str] | None:
    if isinstance(value, str):
        return {value}
    return set(value) if isinstance(value, list) and value else None


def _script_of(hass: HomeAssistant, tool: llm.ActionTool) -> str | None:
    """Return the script of a tool."""
    name = tool.name.removeprefix(f"{SCRIPT}__").removeprefix("_")
    entity_id = f"{SCRIPT}.{name}"
    exists = hass.states.get(entity_id) or er.async_get(hass).async_get(entity_id)
    return entity_id if exists else None
