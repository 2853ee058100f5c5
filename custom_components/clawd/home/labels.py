"""Entities with labels of the owner."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.target import (
    TargetSelection,
    async_extract_referenced_entity_ids,
)

from .targets import with_members

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


def entities_with_labels(hass: HomeAssistant, labels: Iterable[str]) -> frozenset[str]:
    """Return the entities with labels.

    Their own, or those of device or area. Label targets leave out hidden entities; but
    these are in groups that hide them.
    """
    labels = tuple(labels)
    selection = TargetSelection({"label_id": list(labels)})
    found = async_extract_referenced_entity_ids(hass, selection)
    entities, devices = er.async_get(hass), dr.async_get(hass)
    entries = [
        entry
        for label in labels
        for entry in er.async_entries_for_label(entities, label)
    ]
    areas = [
        area.id
        for label in labels
        for area in ar.async_entries_for_label(ar.async_get(hass), label)
    ]
    of_devices = [
        device
        for label in labels
        for device in dr.async_entries_for_label(devices, label)
    ]
    for area in areas:
        entries += er.async_entries_for_area(entities, area)
        of_devices += dr.async_entries_for_area(devices, area)
    for device in of_devices:
        entries += er.async_entries_for_device(entities, device.id)
    return with_members(
        hass,
        found.referenced
        | found.indirectly_referenced
        | {entry.entity_id for entry in entries},
    )
