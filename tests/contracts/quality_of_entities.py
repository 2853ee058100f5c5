"""What contradicts the rules on entities, devices and their texts."""

import ast
from collections.abc import Iterator

from .component import Component, calls
from .entity_classes import Description, EntityClass, descriptions, entity_classes
from .quality_scale import rule

SENSORS = {"__init__.py": "PLATFORMS = (Platform.SENSOR,)"}
BAD_ENTITY = {
    **SENSORS,
    "sensor.py": "class Bad(ConnectionEntity, SensorEntity): ...",
}
BAD_DESCRIPTION = {
    **SENSORS,
    "sensor.py": "SensorEntityDescription(key='bad', translation_key='bad')",
}
BASES = {
    "entity.py": "class ClawdEntity(CoordinatorEntity[X]): ...",
    "coordinator.py": "class ClawdCoordinator(DataUpdateCoordinator[X]): ...",
}
PRIMARY = {"ai_task", "conversation"}  # what people use for its own sake
CLASSED = {"binary_sensor", "sensor"}
CLASSES = {"_attr_device_class", "entity_description"}


@rule(
    "common-modules",
    {"entity.py": BASES["entity.py"]},
    {"coordinator.py": BASES["coordinator.py"]},
    {**BASES, **SENSORS, "sensor.py": "class A(CoordinatorEntity[X]): ..."},
)
def scattered_bases(component: Component) -> Iterator[str]:
    """Find bases of entities and coordinators outside their modules."""
    for base, path in (
        ("CoordinatorEntity", "entity.py"),
        ("DataUpdateCoordinator", "coordinator.py"),
    ):
        if f"({base}[" not in "".join(component.files.get(path, "").split()):
            yield f"{path}: {base}"
    for platform, tree in component.platforms.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base) for base in node.bases]
                yield from (platform for base in bases if "Coordinator" in base)


@rule(
    "entity-event-setup",
    {**SENSORS, "sensor.py": "class A:\n def __init__(self): subscribe(f)"},
)
def early_subscriptions(component: Component) -> Iterator[str]:
    """Find entities that listen before they are added, and so for ever."""
    starts = ("subscribe", "async_add_listener", "async_track", "async_listen")
    for tree in (component.module("entity.py"), *component.platforms.values()):
        for call in calls(tree):
            name = call.name.rpartition(".")[2]
            if "__init__" in call.inside and name.startswith(starts):
                yield call.name


@rule("entity-unique-id", BAD_ENTITY)
def without_unique_id(component: Component) -> Iterator[str]:
    """Find entities without a unique id."""
    yield from _without(component, "_attr_unique_id", "unique_id")


@rule("has-entity-name", BAD_ENTITY)
def without_entity_name(component: Component) -> Iterator[str]:
    """Find entities that are not named by Home Assistant's scheme."""
    yield from _without(component, "_attr_has_entity_name")


@rule("devices", BAD_ENTITY)
def without_device(component: Component) -> Iterator[str]:
    """Find entities that belong to no device."""
    yield from _without(component, "_attr_device_info", "device_info")


@rule("entity-unavailable", {"entity.py": "class AgentEntity: ..."})
def always_available(component: Component) -> Iterator[str]:
    """Find that no base says when its entities are unavailable."""
    tree = component.module("entity.py")
    if not any(
        isinstance(node, ast.FunctionDef) and node.name == "available"
        for node in ast.walk(tree)
    ):
        yield "available"


@rule("entity-category", BAD_ENTITY)
def without_category(component: Component) -> Iterator[str]:
    """Find entities without a category that are not used for their own sake."""
    for entity in entity_classes(component):
        categorised = "_attr_entity_category" in entity.attributes
        if entity.platform not in PRIMARY and not categorised:
            yield entity.name


@rule("entity-device-class", BAD_ENTITY, BAD_DESCRIPTION)
def without_device_class(component: Component) -> Iterator[str]:
    """Find sensors without a device class."""
    for description in descriptions(component):
        classed = "device_class" in description.arguments
        if description.platform in CLASSED and not classed:
            yield str(description.translation_key)
    for entity in entity_classes(component):
        classed = bool(CLASSES & entity.attributes.keys())
        if entity.platform in CLASSED and not classed:
            yield entity.name


@rule("entity-disabled-by-default", BAD_DESCRIPTION)
def nothing_disabled(component: Component) -> Iterator[str]:
    """Find that every entity is enabled, as seldom as it may be wanted."""
    if not any(
        "entity_registry_enabled_default" in description.arguments
        for description in descriptions(component)
    ):
        yield "entity_registry_enabled_default"


@rule("parallel-updates", BAD_ENTITY)
def without_parallel_updates(component: Component) -> Iterator[str]:
    """Find platforms that do not say how many updates may run at once."""
    for platform, tree in component.platforms.items():
        lines = [ast.unparse(node) for node in tree.body]
        if not any(line.startswith("PARALLEL_UPDATES = ") for line in lines):
            yield platform


@rule("entity-translations", BAD_ENTITY, BAD_DESCRIPTION)
def without_name(component: Component) -> Iterator[str]:
    """Find entities that neither a text, a device class nor the device names."""
    names = component.json("translations/en.json").get("entity", {})
    for platform, key in _texts(component):
        if not names.get(platform, {}).get(key, {}).get("name"):
            yield f"{platform}.{key}"
    for entity in entity_classes(component):
        named = {"_attr_translation_key", *CLASSES} & entity.attributes.keys()
        if not named and not entity.named_by_device:
            yield entity.name


@rule("icon-translations", BAD_DESCRIPTION)
def without_icon(component: Component) -> Iterator[str]:
    """Find entities that have an icon by neither a text nor a device class."""
    icons = component.json("icons.json").get("entity", {})
    classed = {
        (entity.platform, entity.translation_key)
        for entity in entity_classes(component)
        if "_attr_device_class" in entity.attributes
    }
    for platform, key in _texts(component) - classed:
        if not icons.get(platform, {}).get(key, {}).get("default"):
            yield f"{platform}.{key}"


def _without(component: Component, *names: str) -> Iterator[str]:
    for entity in entity_classes(component):
        if not entity.attributes.keys() & set(names):
            yield entity.name


def _texts(component: Component) -> set[tuple[str, str]]:
    """Return the platform and the key of each entity that has texts."""
    sources: list[EntityClass | Description] = []
    sources += [*entity_classes(component), *descriptions(component)]
    return {(s.platform, key) for s in sources if (key := s.translation_key)}
