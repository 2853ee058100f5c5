"""Tools of the checks of the home."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.helpers import entity_registry as er

from ..home.apis import ASSISTANT
from ..home.cameras import find_cameras
from ..home.looking import HOME_LOOK
from ..home.messages import MessageTool
from ..home.origin import CallOrigin
from ..home.service import get_home
from ..home.settings import HomeAccess, agent_homes
from ..home.tools import ACTION, HOME_CONTROL, HOME_STATE
from ..home.voice_devices import (
    ANNOUNCE,
    ASSIST_SATELLITE,
    START_CONVERSATION,
    find_voice_devices,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from homeassistant.core import HomeAssistant, State

    from ..gateway import NodeTool
    from ..home.service import HomeService
    from ..home.settings import AgentHome
    from ..runtime.node import NodeRuntime
    from .model import CheckContext

# Has no arguments or effects, and is fast.
HARMLESS_ACTION: Final = "GetDateTime"
# Arguments of Home Assistant's own tools whose values are names of entities.
NAMES_OF: Final = {"calendar": "calendar", "todo_list": "todo"}
SCRIPT: Final = "script"
MEDIA_PLAYER: Final = "media_player"
CAMERA: Final = "camera"


@dataclass(frozen=True, slots=True)
class Offered:
    """Offered entity, area or script."""

    kind: str
    name: str


def home_of(context: CheckContext) -> HomeService:
    """Return the home's service, which must exist."""
    home = get_home(context.entry)
    assert home  # noqa: S101 - of the prerequisite
    return home


def node_of(context: CheckContext) -> NodeRuntime:
    """Return the node, which must exist."""
    node = context.runtime.node
    assert node  # noqa: S101 - of the prerequisite
    return node


def agents_with_access(context: CheckContext) -> list[AgentHome]:
    """Return the agents with access to the home."""
    homes = agent_homes(context.entry)
    return [home for home in homes if home.access is not HomeAccess.NONE]


def temporary_session_key(agent: str) -> str:
    """Return a new session key."""
    return f"agent:{agent}:clawd-self-test-{uuid4().hex}"


def self_test_origin(context: CheckContext, agent: AgentHome) -> CallOrigin:
    """Return the origin of the self-test's calls."""
    language = context.hass.config.language
    return CallOrigin(agent.subentry_id, "self-test", language)


def shown_name(context: CheckContext, name: str) -> str:
    """Return the tool's name for agents."""
    return f"{home_of(context).prefix}{name}"


def offers(context: CheckContext, action: str) -> bool:
    """Return whether a reading action is offered."""
    return action in _actions(node_of(context).host.wanted, HOME_STATE)


def wanted_names(context: CheckContext) -> set[str]:
    """Return the names of the tools to publish."""
    return {tool.name for tool in node_of(context).host.wanted}


def not_exposed(context: CheckContext) -> set[Offered]:
    """Return the offered names without exposure.

    Computed from Home Assistant's exposure, without the code that builds the tools.
    """
    tools = node_of(context).host.wanted
    found = {*_tools_without_access(context, tools)}
    found |= {*_hidden_scripts(context.hass, tools)}
    found |= {*_hidden_names(context.hass, tools)}
    found |= {*_hidden_voice_devices(context.hass, tools)}
    found |= {*_hidden_cameras(context.hass, tools)}
    return found


def _tools_without_access(
    context: CheckContext, tools: Iterable[NodeTool]
) -> Iterator[Offered]:
    """Yield tools without an agent."""
    agents = agents_with_access(context)
    accesses = {home.access for home in agents}
    allowed = {HOME_STATE} if accesses else set()
    if any(home.looks for home in agents):
        allowed.add(HOME_LOOK)
    if HomeAccess.CONTROL in accesses:
        allowed |= {HOME_CONTROL, *MessageTool}
    for tool in tools:
        if tool.name not in allowed:
            yield Offered("tool", tool.name)


def _hidden_scripts(
    hass: HomeAssistant, tools: Iterable[NodeTool]
) -> Iterator[Offered]:
    for action in _actions(tools, HOME_CONTROL):
        entity_id = f"{SCRIPT}.{action.removeprefix(f'{SCRIPT}__')}"
        if hass.states.get(entity_id) and not _is_exposed(hass, entity_id):
            yield Offered(SCRIPT, entity_id)


def _hidden_names(hass: HomeAssistant, tools: Iterable[NodeTool]) -> Iterator[Offered]:
    for argument, domain in NAMES_OF.items():
        exposed = {
            name
            for state in hass.states.async_all(domain)
            if _is_exposed(hass, state.entity_id)
            for name in _names_of(hass, state)
        }
        for name in _choices(tools, HOME_STATE, argument):
            if name not in exposed:
                yield Offered(domain, name)


def _hidden_voice_devices(
    hass: HomeAssistant, tools: Iterable[NodeTool]
) -> Iterator[Offered]:
    """Yield offered, unexposed voice devices."""
    if not {MessageTool.ANNOUNCE, MessageTool.ASK} & {tool.name for tool in tools}:
        return
    for device in find_voice_devices(hass, ANNOUNCE | START_CONVERSATION):
        if not is_exposed_device(hass, device.entity_id):
            yield Offered(ASSIST_SATELLITE, device.entity_id)


def _hidden_cameras(
    hass: HomeAssistant, tools: Iterable[NodeTool]
) -> Iterator[Offered]:
    """Yield offered, unexposed cameras."""
    if HOME_LOOK not in {tool.name for tool in tools}:
        return
    for camera in find_cameras(hass):
        if not _is_exposed(hass, camera.entity_id):
            yield Offered(CAMERA, camera.entity_id)
    if not any(_is_exposed(hass, one) for one in hass.states.async_entity_ids(CAMERA)):
        yield Offered("tool", HOME_LOOK)


def is_exposed_device(hass: HomeAssistant, satellite: str) -> bool:
    """Return whether a satellite's device is exposed."""
    registry = er.async_get(hass)
    entry = registry.async_get(satellite)
    players = [
        other.entity_id
        for other in registry.entities.values()
        if entry and other.domain == MEDIA_PLAYER and other.device_id == entry.device_id
    ]
    return any(_is_exposed(hass, one) for one in (satellite, *players))


def _names_of(hass: HomeAssistant, state: State) -> Iterator[str]:
    """Yield the names of an entity for agents."""
    entry = er.async_get(hass).async_get(state.entity_id)
    # Before 2026.10, it joined them by commas, and split them again.
    for name in (state.name.strip(), *(entry.aliases if entry else ())):
        yield str(name)
        yield from str(name).split(", ")


def _is_exposed(hass: HomeAssistant, entity_id: str) -> bool:
    return async_should_expose(hass, ASSISTANT, entity_id)


def _actions(tools: Iterable[NodeTool], name: str) -> list[str]:
    return _choices(tools, name, ACTION)


def _choices(tools: Iterable[NodeTool], name: str, argument: str) -> list[str]:
    """Return the allowed values of an argument."""
    schemas: list[Any] = [tool.parameters for tool in tools if tool.name == name]
    return [
        value
        for schema in schemas
        for value in schema.get("properties", {}).get(argument, {}).get("enum", ())
    ]
