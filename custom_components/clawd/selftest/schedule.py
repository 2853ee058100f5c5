"""Scheduled self-tests, at night."""

from typing import TYPE_CHECKING, Final
from zlib import crc32

from homeassistant.core import callback
from homeassistant.helpers.event import async_track_time_change
from homeassistant.util import dt as dt_util

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
    """Schedule self-tests of a loaded entry."""

    async def async_run_if_due(now: datetime) -> None:
        schedule = entry.options.get(CONF_SELF_TEST_SCHEDULE, DEFAULT_SCHEDULE)
        if _is_due(schedule, now) and not is_running(hass, entry):
            await async_run(hass, entry, Mode.ACTIVE)

    async def async_run_once(now: datetime) -> None:
        # Clocks that go back from 4 to 3 show the hour twice.
        if not now.fold:
            await async_run_if_due(now)

    async def async_run_instead(now: datetime) -> None:
        # Clocks that go forward from 3 to 4, as in Helsinki, skip the hour.
        if not _exists(now.replace(hour=HOUR)):
            await async_run_if_due(now)

    # Entries are spread over the hour.
    minute, second = divmod(crc32(entry.entry_id.encode()) % 3600, 60)
    for name, action, hour in (
        ("self-test schedule", async_run_once, HOUR),
        ("self-test schedule of a skipped hour", async_run_instead, HOUR + 1),
    ):
        cancel = async_track_time_change(hass, action, hour, minute, second)
        async_get_tracker(entry).async_track(entry, name, cancel)


def _exists(local: datetime) -> bool:
    """Return whether a local time exists."""
    return dt_util.as_local(dt_util.as_utc(local)).hour == local.hour


def _is_due(schedule: str, now: datetime) -> bool:
    """Return whether a schedule includes a day."""
    if schedule == Schedule.WEEKLY:
        return now.weekday() == SUNDAY
    return schedule == Schedule.DAILY
