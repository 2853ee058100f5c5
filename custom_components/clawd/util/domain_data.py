"""Data of an entry in `hass.data`, which its reloads keep."""

from typing import TYPE_CHECKING, Any, Final

from homeassistant.core import HomeAssistant, async_get_hass
from homeassistant.util.hass_dict import HassDict, HassEntryKey

from ..const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry

_DOMAIN_DATA: Final[HassEntryKey[HassDict]] = HassEntryKey(DOMAIN)


def get_domain_data(entry: ConfigEntry[Any]) -> HassDict:
    """Return the data of an entry by typed key, from its first setup to its removal.

    What ends with a reload is in `ClawdRuntime.data`.
    """
    # The callers do not care which of the two holds their data, and have no `hass`.
    hass = async_get_hass()
    if hass.config_entries.async_get_entry(entry.entry_id) is None:
        # It was removed meanwhile, and nobody would delete its data.
        return HassDict()
    entries = hass.data.setdefault(_DOMAIN_DATA, {})
    return entries.setdefault(entry.entry_id, HassDict())


def remove_domain_data(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete the data of an entry that is removed."""
    hass.data.get(_DOMAIN_DATA, {}).pop(entry.entry_id, None)
