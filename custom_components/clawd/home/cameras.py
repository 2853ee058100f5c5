"""Cameras exposed to agents."""

from typing import TYPE_CHECKING, Final

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import intent

from ..gateway import NodeCallError
from .apis import ASSISTANT
from .arguments import INVALID_ARGUMENTS
from .text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homeassistant.core import State

MAX_NAME: Final = 64
MAX_NAMES: Final = 20


@callback
def find_cameras(hass: HomeAssistant) -> list[State]:
    """Return the states of the exposed cameras."""
    return [
        state
        for state in hass.states.async_all(Platform.CAMERA)
        if async_should_expose(hass, ASSISTANT, state.entity_id)
    ]


@callback
def resolve_camera(hass: HomeAssistant, name: str) -> State:
    """Return the exposed camera of a name.

    Raises:
        NodeCallError: there is none, or the name is that of several.

    """
    cameras = find_cameras(hass)
    if not cameras:
        raise _unresolved("No camera is exposed to agents.")
    found = _match(hass, name)
    if not found:
        # Users can remove an entity's own name, which is listed below.
        listed = _listed_as(cameras, name)
        found = [state for one in listed for state in _match(hass, one.entity_id)]
    if len(found) == 1:
        return found[0]
    # The same error as for an unexposed camera: do not reveal it.
    problem = "Several cameras have" if found else "No camera has"
    names = _names(found or cameras)
    raise _unresolved(f"{problem} this name. There are: {names}.")


@callback
def _match(hass: HomeAssistant, name: str) -> list[State]:
    """Return the exposed cameras that Home Assistant finds by a name or id."""
    constraints = intent.MatchTargetsConstraints(
        name=name,
        domains={Platform.CAMERA},
        assistant=ASSISTANT,
        allow_duplicate_names=True,
    )
    return intent.async_match_targets(hass, constraints).states


def _listed_as(cameras: Iterable[State], name: str) -> list[State]:
    """Return the cameras of a name or id, as `_names` lists them."""
    listed = one_line(name, MAX_NAME).casefold()
    return [
        one
        for one in cameras
        if listed in {one_line(one.name, MAX_NAME).casefold(), one.entity_id}
    ]


def _names(cameras: Iterable[State]) -> str:
    """List cameras by name and id."""
    shown = [f'"{one_line(one.name, MAX_NAME)}" ({one.entity_id})' for one in cameras]
    more = ", …" if len(shown) > MAX_NAMES else ""
    return f"{', '.join(shown[:MAX_NAMES])}{more}"


def _unresolved(message: str) -> NodeCallError:
    return NodeCallError(INVALID_ARGUMENTS, message)
