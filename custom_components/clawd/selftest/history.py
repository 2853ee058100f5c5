"""The last reports of an entry, and who wants to know of the next one."""

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import DOMAIN, LOGGER
from ..storage import report_store
from .model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry

MOST_REPORTS: Final = 10
BAD: Final = (Status.FAIL, Status.ERROR)

type Report = dict[str, Any]


class ReportHistory(DataUpdateCoordinator[Report | None]):
    """The last reports; `data` is the newest one, if there is one."""

    config_entry: ClawdConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
        """Start without any."""
        super().__init__(hass, LOGGER, config_entry=entry, name=f"{DOMAIN} self-test")
        self._reports: deque[Report] = deque(maxlen=MOST_REPORTS)

    @property
    def reports(self) -> tuple[Report, ...]:
        """Return the last reports, oldest first."""
        return tuple(self._reports)

    async def async_load(self) -> None:
        """Remember the reports from before the last start."""
        self._reports.extend(await async_load_reports(self.hass, self.config_entry))
        self.data = self._reports[-1] if self._reports else None

    async def async_add(self, report: Report) -> None:
        """Publish a report and store it."""
        self._reports.append(report)
        self.async_set_updated_data(report)
        await _async_save(self.hass, self.config_entry, self._reports)


def failed_checks(report: Report) -> list[dict[str, Any]]:
    """Return what a report says of the checks that failed or broke."""
    return [check for check in report["checks"] if check["status"] in BAD]


async def async_keep_report(
    hass: HomeAssistant, entry: ClawdConfigEntry, report: Report
) -> None:
    """Publish a report; of an entry that is not loaded any more, only store it."""
    if entry.state is ConfigEntryState.LOADED:
        await entry.runtime_data.reports.async_add(report)
    elif hass.config_entries.async_get_entry(entry.entry_id):
        stored = await async_load_reports(hass, entry)
        await _async_save(hass, entry, (*stored, report)[-MOST_REPORTS:])


async def async_load_reports(
    hass: HomeAssistant, entry: ClawdConfigEntry
) -> tuple[Report, ...]:
    """Return the reports that were kept of an entry, oldest first."""
    match await report_store(hass, entry.entry_id).async_load():
        case {"reports": list(reports)}:
            return tuple(reports)
    return ()


async def _async_save(
    hass: HomeAssistant, entry: ClawdConfigEntry, reports: Iterable[Report]
) -> None:
    await report_store(hass, entry.entry_id).async_save({"reports": list(reports)})
