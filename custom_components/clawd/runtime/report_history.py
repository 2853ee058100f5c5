"""Coordinator of the reports of self-tests, and their store."""

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..client_factory import get_history
from ..const import DOMAIN, LOGGER
from ..reports import Report, is_report
from ..storage import EntryStore, async_load_store, async_save_store

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REPORTS: Final = 10


class ReportHistory(DataUpdateCoordinator[Report | None]):
    """History of self-test reports."""

    config_entry: ConfigEntry[Any]

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        """Initialize without reports."""
        super().__init__(hass, LOGGER, config_entry=entry, name=f"{DOMAIN} self-test")
        self._reports: deque[Report] = deque(maxlen=MAX_REPORTS)

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports, oldest first."""
        return tuple(self._reports)

    async def async_load(self) -> None:
        """Load the stored reports."""
        self._reports.extend(await async_stored_reports(self.hass, self.config_entry))
        self.data = self._reports[-1] if self._reports else None

    async def async_add(self, report: Report) -> None:
        """Publish and store a report."""
        self._reports.append(report)
        self.async_set_updated_data(report)
        await _async_save(self.hass, self.config_entry, self._reports)


async def async_store_report(
    hass: HomeAssistant, entry: ConfigEntry[Any], report: Report
) -> None:
    """Publish and store a report."""
    if entry.state is ConfigEntryState.LOADED:
        await entry.runtime_data.reports.async_add(report)
    elif hass.config_entries.async_get_entry(entry.entry_id):
        stored = await async_stored_reports(hass, entry)
        await _async_save(hass, entry, (*stored, report)[-MAX_REPORTS:])


async def async_stored_reports(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> tuple[Report, ...]:
    """Return the stored reports, oldest first."""
    on_error = get_history(hass, entry.entry_id).store_failed
    match await async_load_store(hass, EntryStore.REPORTS, entry.entry_id, on_error):
        case {"reports": list(reports)}:
            return tuple(report for report in reports if is_report(report))
    return ()


async def _async_save(
    hass: HomeAssistant, entry: ConfigEntry[Any], reports: Iterable[Report]
) -> None:
    content = {"reports": list(reports)}
    on_error = get_history(hass, entry.entry_id).store_failed
    await async_save_store(hass, EntryStore.REPORTS, entry.entry_id, content, on_error)
