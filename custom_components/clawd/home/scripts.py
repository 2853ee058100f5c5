"""Static analysis of scripts and scenes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.homeassistant.scene import entities_in_scene
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    ENTITY_MATCH_ALL,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)
from homeassistant.helpers.template import Template, is_template_string

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

SCRIPT: Final = "script"
SCENE: Final = "scene"
TARGET_KEYS: Final = (
    ATTR_ENTITY_ID,
    ATTR_DEVICE_ID,
    ATTR_AREA_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
)
# Steps without effects.
CHECK_KEYS: Final = ("condition", "trigger", "platform")


@dataclass(frozen=True, slots=True)
class Step:
    """Action of a script.

    Attributes:
        domain, service: empty if a template decides.
        entity_ids: targets; None if they are known only when it runs.

    """

    domain: str
    service: str
    entity_ids: frozenset[str] | None


def entity_domains(hass: HomeAssistant) -> Collection[str]:
    """Return the loaded entity domains.

    Their actions affect no other entities.
    """
    return hass.data.get(DATA_INSTANCES, {}).keys()


def script_steps(hass: HomeAssistant, entity_id: str) -> list[Step] | None:
    """Return the actions of a script.

    None if it is unknown.
    """
    component = hass.data.get(DATA_INSTANCES, {}).get(SCRIPT)
    entity = component.get_entity(entity_id) if component else None
    script = getattr(entity, "script", None)
    return None if script is None else sequence_steps(hass, script.sequence)


def sequence_steps(hass: HomeAssistant, sequence: object) -> list[Step]:
    """Return the actions of a nested sequence."""
    return [step for node in _mappings(sequence) for step in _steps(hass, node)]


def scene_entities(hass: HomeAssistant, entity_id: str) -> frozenset[str] | None:
    """Return the entities of a scene.

    None if only its hub knows them. A hub's scene may touch each entity of the hub.
    """
    if found := entities_in_scene(hass, entity_id):
        return frozenset(found)
    registry = er.async_get(hass)
    entry = registry.async_get(entity_id)
    if entry is None or entry.config_entry_id is None:
        return None
    of_hub = er.async_entries_for_config_entry(registry, entry.config_entry_id)
    return frozenset(other.entity_id for other in of_hub) - {entity_id}


def script_of_service(hass: HomeAssistant, service: str) -> str:
    """Return the script run by a service."""
    found = er.async_get(hass).async_get_entity_id(SCRIPT, SCRIPT, service)
    return found or f"{SCRIPT}.{service}"


def _mappings(node: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _mappings(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _mappings(value)


def _steps(hass: HomeAssistant, node: Mapping[str, Any]) -> Iterator[Step]:
    if any(key in node for key in CHECK_KEYS):
        return
    called = node.get("action", node.get("service"))
    if _is_template(called):
        yield Step("", "", None)
    elif isinstance(called, str) and "." in called:
        domain, _, service = called.partition(".")
        yield Step(domain, service, _targets(hass, node))
    elif all(isinstance(node.get(key), str) for key in ("domain", "type")):
        # A device action: `{device_id, domain: lock, type: unlock, entity_id}`.
        yield Step(node["domain"], node["type"], _targets(hass, node))
    elif isinstance(scene := node.get(SCENE), str):
        yield Step(SCENE, "turn_on", frozenset({scene}))


def _targets(hass: HomeAssistant, node: Mapping[str, Any]) -> frozenset[str] | None:
    selection: dict[str, set[str]] = {key: set() for key in TARGET_KEYS}
    for part in (node, node.get("target"), node.get("data"), node.get("data_template")):
        if _is_template(part):
            return None
        found = part if isinstance(part, Mapping) else {}
        for key in TARGET_KEYS:
            value = found.get(key)
            ids = value if isinstance(value, list) else [value] if value else []
            if any(_is_template(one) or one == ENTITY_MATCH_ALL for one in ids):
                return None
            selection[key].update(map(str, ids))
    # A device action has its entity's id in the registry.
    registry = er.async_get(hass)
    selection[ATTR_ENTITY_ID] = {
        er.async_resolve_entity_id(registry, one) or one
        for one in selection[ATTR_ENTITY_ID]
    }
    targets = TargetSelection({key: list(ids) for key, ids in selection.items()})
    touched = async_extract_referenced_entity_ids(hass, targets)
    return frozenset(touched.referenced | touched.indirectly_referenced)


def _is_template(value: object) -> bool:
    return isinstance(value, Template) or (
        isinstance(value, str) and is_template_string(value)
    )
