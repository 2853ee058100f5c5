"""Detection of sensitive actions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.cover import CoverDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS
from homeassistant.core import split_entity_id
from homeassistant.helpers import entity_registry as er, intent

from .apis import intent_handler, intent_type
from .labels import entities_with_labels
from .scripts import (
    SCENE,
    SCRIPT,
    Step,
    entity_domains,
    scene_entities,
    script_of_service,
    script_steps,
    sequence_steps,
)
from .targets import with_members

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .targets import Targets
    from .tools import HomeTool

ALARM: Final = "alarm_control_panel"
COVER: Final = "cover"
LOCK: Final = "lock"
VALVE: Final = "valve"
GUARDED: Final = (ALARM, COVER, LOCK, VALVE)
ENTRANCES: Final = frozenset(
    {CoverDeviceClass.DOOR, CoverDeviceClass.GARAGE, CoverDeviceClass.GATE}
)

# Intents that lock, and those that close or stop. `HassTurnOn` locks a lock, and opens
# a cover; `HassTurnOff` unlocks it, and closes a cover.
LOCKING: Final = frozenset({intent.INTENT_TURN_ON})
CLOSING: Final = frozenset(
    {intent.INTENT_TURN_OFF, "HassCloseCover", intent.INTENT_STOP_MOVING}
)
# Intents that do not run a script or a scene.
STOPPING: Final = frozenset({intent.INTENT_TURN_OFF})

# Harmless actions by domain: they open nothing.
HARMLESS: Final[Mapping[str, frozenset[str]]] = {
    ALARM: frozenset(
        {
            *("alarm_arm_away", "alarm_arm_home", "alarm_arm_night"),
            *("alarm_arm_vacation", "alarm_arm_custom_bypass", "alarm_trigger"),
            *("arm_away", "arm_home", "arm_night", "arm_vacation", "trigger"),
        }
    ),
    COVER: frozenset(
        {
            *("close_cover", "stop_cover", "close_cover_tilt", "stop_cover_tilt"),
            *("open_cover_tilt", "set_cover_tilt_position", "toggle_cover_tilt"),
            *("close", "stop", "close_tilt", "open_tilt", "set_tilt_position"),
        }
    ),
    LOCK: frozenset({"lock"}),
    VALVE: frozenset({"close_valve", "stop_valve", "close", "stop"}),
}
# Actions that may do anything, decided only when they run.
UNKNOWN: Final = frozenset(
    {
        *("automation", "conversation", "intent", "mqtt", "pyscript"),
        *("python_script", "rest_command", "shell_command"),
    }
)
GENERIC: Final = "homeassistant"
# Actions that name entities of any domain, and change none.
OBSERVING: Final = frozenset(
    {
        (GENERIC, "reload_config_entry"),
        (GENERIC, "update_entity"),
        ("logbook", "log"),
    }
)


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Sensitive part of a call.

    Attributes:
        entity_ids: sensitive targets.
        unknown: it might touch more.

    """

    entity_ids: frozenset[str] = frozenset()
    unknown: bool = False

    def __bool__(self) -> bool:
        """Return whether the call is sensitive."""
        return bool(self.entity_ids) or self.unknown


def find_sensitive(
    hass: HomeAssistant,
    tool: HomeTool,
    arguments: Mapping[str, Any],
    targets: Targets,
    labels: Iterable[str],
) -> Sensitive:
    """Return the sensitive targets of a call."""
    judge = Judge(hass, labels)
    name = intent_type(tool.tool)
    handler = intent_handler(hass, name) if name else None
    # Intent scripts have a known sequence, written by the owner.
    action = getattr(getattr(handler, "config", {}).get("action"), "sequence", None)
    known = targets.complete
    if action is not None:
        known = True
        judge.add_steps(sequence_steps(hass, action))
    elif hasattr(handler, "config"):
        known = True
    judge.add_entities(
        with_members(hass, targets.entity_ids),
        name,
        closing=_is_closing(name, arguments),
    )
    return Sensitive(frozenset(judge.found), judge.unknown or not known)


def _is_closing(name: str | None, arguments: Mapping[str, Any]) -> bool:
    if name == intent.INTENT_SET_POSITION:
        return str(arguments.get("position")) in {"0", "0.0"}
    return name in CLOSING


class Judge:
    """Collector of sensitive entities."""

    def __init__(self, hass: HomeAssistant, labels: Iterable[str]) -> None:
        """Initialize with the owner's labels."""
        self._hass = hass
        self._labelled = entities_with_labels(hass, labels)
        self._seen: set[str] = set()
        self.found: set[str] = set()
        self.unknown = False

    def add_entities(
        self,
        entity_ids: Iterable[str],
        name: str | None = None,
        *,
        closing: bool = False,
    ) -> None:
        """Add the targets of a tool."""
        for entity_id in entity_ids:
            domain = split_entity_id(entity_id)[0]
            if entity_id in self._labelled:
                self.found.add(entity_id)
            elif domain == LOCK:
                if name not in LOCKING:
                    self.found.add(entity_id)
            elif domain == ALARM:
                self.found.add(entity_id)
            elif domain in (COVER, VALVE):
                if not closing and self._is_guarded(entity_id):
                    self.found.add(entity_id)
            elif domain == SCENE:
                self._add_scene(entity_id)
            elif domain == SCRIPT and name not in STOPPING:
                self._add_script(entity_id)

    def add_steps(self, steps: Iterable[Step]) -> None:
        """Add the actions of a script."""
        for step in steps:
            self._add_step(step)

    def _add_scene(self, entity_id: str) -> None:
        entities = scene_entities(self._hass, entity_id)
        if entities is None:
            self.unknown = True
        elif any(map(self._is_guarded, with_members(self._hass, entities))):
            self.found.add(entity_id)

    def _add_script(self, entity_id: str) -> None:
        if entity_id in self._seen:
            return
        self._seen.add(entity_id)
        steps = script_steps(self._hass, entity_id)
        if steps is None:
            self.unknown = True
            return
        before = len(self.found), self.unknown
        self.add_steps(steps)
        if (len(self.found), self.unknown) != before:
            self.found.add(entity_id)

    def _add_step(self, step: Step) -> None:
        domain, service = step.domain, step.service
        if not domain or domain in UNKNOWN:
            self.unknown = True
        elif step.entity_ids is None:
            self._add_unknown_targets(domain, service)
        elif domain == SCRIPT and service not in ("turn_on", "toggle", "turn_off"):
            self.add_entities({script_of_service(self._hass, service)})
        else:
            touched = with_members(self._hass, step.entity_ids)
            for entity_id in touched:
                self._add_touched(entity_id, domain, service)
            # `scene.apply` has its entities in its data.
            if domain == SCENE and service == "apply":
                self.unknown = True

    def _add_touched(self, entity_id: str, domain: str, service: str) -> None:
        own = split_entity_id(entity_id)[0]
        if entity_id in self._labelled:
            self.found.add(entity_id)
        elif own in (SCENE, SCRIPT):
            if service != "turn_off":
                self.add_entities({entity_id})
        elif own in GUARDED and self._reaches(domain, own):
            harmless = (domain, service) in OBSERVING or (
                domain == own and service in HARMLESS[own]
            )
            if not harmless and self._is_guarded(entity_id):
                self.found.add(entity_id)

    def _add_unknown_targets(self, domain: str, service: str) -> None:
        if domain in GUARDED:
            self.unknown |= service not in HARMLESS[domain]
        elif domain in (SCENE, SCRIPT) or self._reaches(domain, GENERIC):
            self.unknown |= (domain, service) not in OBSERVING
        else:
            labelled = {split_entity_id(one)[0] for one in self._labelled}
            self.unknown |= domain in labelled

    def _reaches(self, domain: str, own: str) -> bool:
        """Return whether a domain affects another one.

        Those of an entity domain, such as `light`, leave other entities of an area
        alone. Those of an integration do not: `nuki.lock_n_go` unlocks.
        """
        return domain in (own, GENERIC) or domain not in entity_domains(self._hass)

    def _is_guarded(self, entity_id: str) -> bool:
        """Return whether an entity guards an entrance."""
        domain = split_entity_id(entity_id)[0]
        if entity_id in self._labelled or domain in (ALARM, LOCK, VALVE):
            return True
        return domain == COVER and _device_class(self._hass, entity_id) in ENTRANCES


def _device_class(hass: HomeAssistant, entity_id: str) -> str | None:
    entry = er.async_get(hass).async_get(entity_id)
    if entry and (entry.device_class or entry.original_device_class):
        return entry.device_class or entry.original_device_class
    state = hass.states.get(entity_id)
    return state.attributes.get(ATTR_DEVICE_CLASS) if state else None
