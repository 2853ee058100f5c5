"""Home Assistant's LLM tools as node tools."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from homeassistant.helpers import intent, llm

from ..const import LOGGER
from .apis import (
    LoopSlices,
    async_get_instances,
    intent_handler,
    intent_type,
    is_read_only,
    parameter_schema,
)
from .settings import HomeAccess
from .text import is_one_line, one_line

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

HOME_STATE: Final = "home_state"
HOME_CONTROL: Final = "home_control"
ACTION: Final = "action"
# Argument of a tool that has one named `action` itself.
OWN_ACTION: Final = "argument_action"

MAX_NAME: Final = 64

# A broadcast knows neither exposure nor quiet hours; `home_announce` does.
REPLACED_INTENTS: Final = frozenset({intent.INTENT_BROADCAST})

type Schema = Mapping[str, Any]

# Parameters of intents, which every call would convert anew in about 2 ms.
_INTENT_SCHEMAS: Final[WeakKeyDictionary[intent.IntentHandler, Schema]] = (
    WeakKeyDictionary()
)
# Names of omitted tools, logged once each.
_REPORTED: Final[set[str]] = set()


@dataclass(frozen=True, slots=True)
class HomeTool:
    """Action of a node tool.

    Attributes:
        name: unique name; `action` is the short one.
        properties: JSON schemas of the arguments.
        open: takes any arguments.

    """

    instance: llm.APIInstance
    tool: llm.Tool
    name: str
    action: str
    read_only: bool
    properties: Mapping[str, Schema]
    required: tuple[str, ...]
    open: bool

    @property
    def node_tool(self) -> str:
        """Return the node tool of this action."""
        return HOME_STATE if self.read_only else HOME_CONTROL


@dataclass(frozen=True, slots=True)
class Candidate:
    """Tool before its conversion.

    A conversion takes up to a millisecond, so a call converts only its own tool's.
    """

    instance: llm.APIInstance
    tool: llm.Tool
    action: str

    def convert(self) -> HomeTool | None:
        """Convert the tool, if possible."""
        schema = _schema(self.tool, self.instance)
        if schema is None:
            return None
        return HomeTool(
            self.instance,
            self.tool,
            self.tool.name,
            self.action,
            is_read_only(self.tool),
            {_own(name): value for name, value in schema.get("properties", {}).items()},
            tuple(_own(name) for name in schema.get("required", ())),
            bool(schema.get("additionalProperties")),
        )


async def async_get_candidates(
    hass: HomeAssistant, api_ids: Iterable[str], context: llm.LLMContext
) -> list[Candidate]:
    """Return the unique tools of some APIs."""
    instances = await async_get_instances(hass, api_ids, context)
    pairs = [
        (instance, tool)
        for instance in instances
        for tool in instance.tools
        if intent_type(tool) not in REPLACED_INTENTS
    ]
    by_name = {tool.name: (instance, tool) for instance, tool in reversed(pairs)}
    short = Counter(map(_short_name, by_name))
    return [
        Candidate(
            instance,
            tool,
            _short_name(name) if short[_short_name(name)] == 1 else name,
        )
        for name, (instance, tool) in reversed(by_name.items())
    ]


async def async_get_home_tools(
    hass: HomeAssistant, api_ids: Iterable[str], context: llm.LLMContext
) -> list[HomeTool | None]:
    """Convert the tools of some APIs.

    None for a tool without a valid schema. The event loop is yielded to between them.
    """
    found, slices = [], LoopSlices()
    for candidate in await async_get_candidates(hass, api_ids, context):
        found.append(candidate.convert())
        await slices.async_yield()
    return found


def accesses(tool: HomeTool, access: HomeAccess) -> bool:
    """Return whether an access permits a tool."""
    return access is HomeAccess.CONTROL or (
        access is HomeAccess.READ and tool.read_only
    )


def _short_name(name: str) -> str:
    """Remove the domain from a name."""
    return name.rpartition("__")[2] or name


def _own(argument: str) -> str:
    """Rename an argument in conflict with ours."""
    return OWN_ACTION if argument == ACTION else argument


def _schema(tool: llm.Tool, instance: llm.APIInstance) -> Schema | None:
    """Return the schema of a tool, if valid."""
    name = intent_type(tool)
    handler = intent_handler(instance.api.hass, name) if name else None
    if handler is not None and handler in _INTENT_SCHEMAS:
        return _INTENT_SCHEMAS[handler]
    try:
        schema = parameter_schema(tool, instance)
    except Exception as err:  # noqa: BLE001 - the converters raise anything
        _report(tool, type(err).__name__)
        return None
    if not is_one_line(tool.name) or not 0 < len(tool.name) <= MAX_NAME:
        _report(tool, "name")
        return None
    if handler is not None:
        _INTENT_SCHEMAS[handler] = schema
    return schema


def _report(tool: llm.Tool, reason: str) -> None:
    """Log an omitted tool once."""
    name = one_line(tool.name, MAX_NAME)
    if name not in _REPORTED:
        _REPORTED.add(name)
        LOGGER.warning("Agents are not offered the tool %s (%s)", name, reason)
