"""The self-tests that run by themselves, at a quiet hour."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zlib import crc32

from homeassistant.core import callback
from homeassistant.helpers.event import async_track_time_change

from .const import CONF_SELF_TEST_SCHEDULE
from .ledger import async_get_ledger
from .selftest.model import Mode
from .selftest.runner import async_get_self_tests
from .services import async_run_self_test

if TYPE_CHECKING:
    from datetime import datetime

    from homeassistant.core import HomeAssistant

    from .coordinator import ClawdConfigEntry

QUIET_HOUR: Final = 3
SUNDAY: Final = 6


class Schedule(StrEnum):
    """How often there is a self-test."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


DEFAULT_SCHEDULE: Final = Schedule.DAILY


@callback
def async_schedule_self_tests(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Test an entry when its options say so, as long as it is loaded.

    A self-test that is running already is enough.
    """

    async def async_run(now: datetime) -> None:
        schedule = entry.options.get(CONF_SELF_TEST_SCHEDULE, DEFAULT_SCHEDULE)
        if _is_due(schedule, now) and not async_get_self_tests(hass).is_testing(entry):
            await async_run_self_test(hass, entry, Mode.ACTIVE, blocking=False)

    minute, second = divmod(crc32(entry.entry_id.encode()) % 3600, 60)
    cancel = async_track_time_change(hass, async_run, QUIET_HOUR, minute, second)
    async_get_ledger(entry).async_hold(entry, "self-test schedule", cancel)


def _is_due(schedule: str, now: datetime) -> bool:
    """Return whether a schedule includes this day."""
    if schedule == Schedule.WEEKLY:
        return now.weekday() == SUNDAY
    return schedule == Schedule.DAILY
