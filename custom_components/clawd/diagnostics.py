"""Diagnostics: what may be shown, without any secret, and not too much of it."""

import json
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from .inspection import Inspection, inspect_entry
from .redaction import known_secrets, leaks
from .selftest.history import async_load_reports

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.device_registry import DeviceEntry

    from .coordinator import ClawdConfigEntry

LIMIT: Final = 256 * 1024
DEVICE_SECTIONS: Final = ("versions", "entry", "endpoint", "connection", "entities")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> dict[str, object]:
    """Return the diagnostics of an entry, in whatever state it is."""
    return _limited(await _async_safe_sections(hass, entry))


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: ClawdConfigEntry, device: DeviceEntry
) -> dict[str, object]:
    """Return what concerns one device of an entry."""
    sections = await _async_safe_sections(hass, entry, device.id)
    return {name: sections[name] for name in DEVICE_SECTIONS}


async def _async_safe_sections(
    hass: HomeAssistant, entry: ClawdConfigEntry, device_id: str | None = None
) -> dict[str, object]:
    """Return the sections; one in which a secret is found is withheld."""
    loaded = entry.state is ConfigEntryState.LOADED
    runtime = entry.runtime_data if loaded else None
    secrets = known_secrets(entry.data, runtime.credentials if runtime else None)
    stored = () if runtime else await async_load_reports(hass, entry)
    sections = inspect_entry(Inspection(hass, entry, runtime, device_id, stored))
    return {
        name: {"withheld": "a secret was found"} if leaks(section, secrets) else section
        for name, section in sections.items()
    }


def _limited(sections: dict[str, object]) -> dict[str, object]:
    """Withhold the largest sections until the rest is small enough."""
    sizes = {name: len(json.dumps(value, indent=2)) for name, value in sections.items()}
    while sum(sizes.values()) > LIMIT:
        largest = max(sizes, key=sizes.__getitem__)
        sections[largest], sizes[largest] = {"withheld": "too large"}, 0
    return sections
