"""Diagnostics of an entry."""

import json
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntryState

from . import selftest
from .const import LOGGER
from .diagnostics_data import build_sections
from .diagnostics_data.source import DiagnosticsSource
from .redaction import contains_secret, known_secrets
from .runtime.report_history import async_stored_reports

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.device_registry import DeviceEntry

    from .coordinator import ClawdConfigEntry
    from .reports import Report

# Bytes of the file that a user attaches to a bug report.
MAX_SIZE: Final = 256 * 1024
DEVICE_SECTIONS: Final = ("versions", "entry", "endpoint", "connection", "entities")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> dict[str, object]:
    """Return the diagnostics of an entry."""
    return _limited(await _async_safe_sections(hass, entry))


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: ClawdConfigEntry, device: DeviceEntry
) -> dict[str, object]:
    """Return the diagnostics of a device."""
    sections = await _async_safe_sections(hass, entry, device.id)
    return {name: sections[name] for name in DEVICE_SECTIONS}


async def _async_safe_sections(
    hass: HomeAssistant, entry: ClawdConfigEntry, device_id: str | None = None
) -> dict[str, object]:
    """Return the sections without secrets."""
    loaded = entry.state is ConfigEntryState.LOADED
    runtime = entry.runtime_data if loaded else None
    credentials = runtime.all_credentials if runtime else ()
    secrets = known_secrets(entry.data, entry.options, *credentials)
    stored = () if runtime else await _async_stored_reports(hass, entry)
    suspects = await _async_suspects(hass, entry)
    sections = build_sections(
        DiagnosticsSource(hass, entry, runtime, device_id, stored, suspects)
    )
    return {
        name: {"withheld": "a secret was found"}
        if contains_secret(section, secrets)
        else section
        for name, section in sections.items()
    }


async def _async_stored_reports(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> tuple[Report, ...]:
    try:
        return await async_stored_reports(hass, entry)
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        LOGGER.debug("No stored reports: %s", type(err).__name__)
        return ()


async def _async_suspects(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> tuple[str, ...]:
    try:
        return await selftest.async_find_suspects(hass, entry)
    except Exception as err:  # noqa: BLE001 - the other sections survive it
        LOGGER.debug("No suspects: %s", type(err).__name__)
        return (f"({type(err).__name__})",)


def _limited(sections: dict[str, object]) -> dict[str, object]:
    """Withhold the largest sections if oversized."""
    sizes = {name: len(json.dumps(value, indent=2)) for name, value in sections.items()}
    while sum(sizes.values()) > MAX_SIZE:
        largest = max(sizes, key=sizes.__getitem__)
        sections[largest], sizes[largest] = {"withheld": "too large"}, 0
    return sections
