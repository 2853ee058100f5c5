"""Quality scale rules on entities and texts."""

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
NAMING = {"_attr_translation_key", "_attr_device_class", "entity_description"}


@rule(
    "entity-event-setup",
    {**SENSORS, "sensor.py": "class A:\n def __init__(self): subscribe(f)"},
)
def early_subscriptions(component: Component) -> Iterator[str]:
    """Find entities that subscribe before they are added."""
    # Home Assistant removes only entities that it added, so that nothing would end
    # the subscription of one that it rejects.
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
    """Find entities without `has_entity_name`."""
    yield from _without(component, "_attr_has_entity_name")


@rule("devices", BAD_ENTITY)
def without_device(component: Component) -> Iterator[str]:
    """Find entities without a device."""
    yield from _without(component, "_attr_device_info", "device_info")


@rule("entity-translations", BAD_ENTITY, BAD_DESCRIPTION)
def without_name(component: Component) -> Iterator[str]:
    """Find entities without a name."""
    names = component.json("translations/en.json").get("entity", {})
    for platform, key in _translation_keys(component):
        if not names.get(platform, {}).get(key, {}).get("name"):
            yield f"{platform}.{key}"
    for entity in entity_classes(component):
        if not NAMING & entity.attributes.keys() and not entity.named_by_device:
            yield entity.name


def _without(component: Component, *names: str) -> Iterator[str]:
    for entity in entity_classes(component):
        if not entity.attributes.keys() & set(names):
            yield entity.name


def _translation_keys(component: Component) -> set[tuple[str, str]]:
    """Return the platform and translation key of each entity."""
    sources: list[EntityClass | Description] = []
    sources += [*entity_classes(component), *descriptions(component)]
    return {(s.platform, key) for s in sources if (key := s.translation_key)}
