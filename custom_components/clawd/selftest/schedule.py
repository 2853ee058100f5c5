"""Scheduled self-tests, at night."""

from typing import TYPE_CHECKING, Final
from zlib import crc32

from homeassistant.core import callback
from homeassistant.helpers.event import async_track_time_change

from ..const import CONF_SELF_TEST_SCHEDULE
from ..reports import DEFAULT_SCHEDULE, Mode, Schedule
from .resources import async_get_tracker
from .runner import async_run, is_running

if TYPE_CHECKING:
    from datetime import datetime

    from homeassistant.core import HomeAssistant

    from ..coordinator import ClawdConfigEntry

HOUR: Final = 3
SUNDAY: Final = 6


@callback
def async_schedule_self_tests(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Schedule self-tests of an entry while it is loaded."""

    async def async_run_if_due(now: datetime) -> None:
        schedule = entry.options.get(CONF_SELF_TEST_SCHEDULE, DEFAULT_SCHEDULE)
        if _is_due(schedule, now) and not is_running(hass, entry):
            await async_run(hass, entry, Mode.ACTIVE)

    # Entries are spread over the hour.
    minute, second = divmod(crc32(entry.entry_id.encode()) % 3600, 60)
    cancel = async_track_time_change(hass, async_run_if_due, HOUR, minute, second)
    async_get_tracker(entry).async_track(entry, "self-test schedule", cancel)


def _is_due(schedule: str, now: datetime) -> bool:
    """Return whether a schedule includes a day."""
    if schedule == Schedule.WEEKLY:
        return now.weekday() == SUNDAY
    return schedule == Schedule.DAILY
