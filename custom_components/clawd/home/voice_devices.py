"""Voice devices of the home."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.const import ATTR_SUPPORTED_FEATURES, STATE_IDLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    intent,
)

from ..gateway import NodeCallError
from .aliases import aliases_of
from .apis import ASSISTANT
from .arguments import INVALID_ARGUMENTS
from .text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from homeassistant.core import State

ASSIST_SATELLITE: Final = "assist_satellite"
# Of `AssistSatelliteEntityFeature`, whose package has requirements of its own.
ANNOUNCE: Final = 1
START_CONVERSATION: Final = 2
# Telephones would ring; Home Assistant's own broadcast leaves them out, too.
TELEPHONY: Final = frozenset({"voip"})
MAX_NAME: Final = 64
MAX_NAMES: Final = 20


@dataclass(frozen=True, slots=True)
class VoiceDevice:
    """Exposed voice device.

    Attributes:
        names: of the device and its satellite, as the user may call it.
        idle: it neither listens nor speaks.

    """

    entity_id: str
    device_id: str | None
    area_id: str | None
    names: tuple[str, ...]
    features: int
    idle: bool
    telephone: bool

    @property
    def name(self) -> str:
        """Return the name to show."""
        return one_line(self.names[0], MAX_NAME)


@callback
def find_voice_devices(hass: HomeAssistant, feature: int) -> list[VoiceDevice]:
    """Return the exposed voice devices.

    With a feature: to announce, or to listen to an answer.
    """
    found = (_voice_device(hass, state) for state in _satellites(hass))
    return [device for device in found if device.features & feature]


@callback
def resolve_voice_devices(
    hass: HomeAssistant,
    feature: int,
    *,
    area: str | None = None,
    name: str | None = None,
) -> list[VoiceDevice]:
    """Return the voice devices of an area or name.

    All without both.

    Raises:
        NodeCallError: there is none, or the name is that of several.

    """
    devices = find_voice_devices(hass, feature)
    if not devices:
        raise NodeCallError(
            INVALID_ARGUMENTS, "No voice device that can do this is exposed to agents."
        )
    if name is not None:
        found = [device for device in devices if _is_called(device, name)]
        if len(found) != 1:
            problem = "Several voice devices have" if found else "No voice device has"
            raise _unresolved(hass, f"{problem} this name.", found or devices)
        return found
    if area is not None:
        areas = {one.id for one in intent.find_areas(area, ar.async_get(hass))}
        found = [device for device in devices if device.area_id in areas]
        if not found:
            raise _unresolved(hass, "No voice device is in this area.", devices)
        return found
    return [device for device in devices if not device.telephone]


def list_devices(hass: HomeAssistant, devices: Iterable[VoiceDevice]) -> str:
    """List names and areas of voice devices."""
    areas = ar.async_get(hass)
    shown = []
    for device in devices:
        area = areas.async_get_area(device.area_id or "")
        where = f" (area {one_line(area.name, MAX_NAME)})" if area else ""
        shown.append(f'"{device.name}"{where}')
    more = ", …" if len(shown) > MAX_NAMES else ""
    return f"{', '.join(shown[:MAX_NAMES])}{more}"


def _unresolved(
    hass: HomeAssistant, problem: str, devices: Iterable[VoiceDevice]
) -> NodeCallError:
    listed = list_devices(hass, devices)
    return NodeCallError(INVALID_ARGUMENTS, f"{problem} There are: {listed}.")


def _is_called(device: VoiceDevice, name: str) -> bool:
    wanted = name.strip().casefold()
    known = {device.entity_id, device.device_id, *map(str.casefold, device.names)}
    return wanted in known


def _satellites(hass: HomeAssistant) -> Iterator[State]:
    """Yield the satellites of exposed voice devices.

    Home Assistant exposes media players by default, and no satellites: a device is
    exposed if one of both is.
    """
    registry = er.async_get(hass)
    for state in hass.states.async_all(ASSIST_SATELLITE):
        entry = registry.async_get(state.entity_id)
        players = [
            other.entity_id
            for other in _entities_of(registry, entry.device_id if entry else None)
            if other.domain == MEDIA_PLAYER
        ]
        if any(
            async_should_expose(hass, ASSISTANT, entity_id)
            for entity_id in (state.entity_id, *players)
        ):
            yield state


def _entities_of(
    registry: er.EntityRegistry, device_id: str | None
) -> list[er.RegistryEntry]:
    return er.async_entries_for_device(registry, device_id) if device_id else []


def _voice_device(hass: HomeAssistant, state: State) -> VoiceDevice:
    entry = er.async_get(hass).async_get(state.entity_id)
    device_id = entry.device_id if entry else None
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    names = [device.name_by_user, device.name] if device else []
    names += [state.name, *aliases_of(hass, state.entity_id)]
    return VoiceDevice(
        entity_id=state.entity_id,
        device_id=device_id,
        area_id=(entry.area_id if entry else None)
        or (device.area_id if device else None),
        names=tuple(dict.fromkeys(filter(None, names))),
        features=state.attributes.get(ATTR_SUPPORTED_FEATURES, 0),
        idle=state.state == STATE_IDLE,
        telephone=entry is not None and entry.platform in TELEPHONY,
    )
