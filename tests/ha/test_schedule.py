"""Scheduled self-tests and daylight saving."""

from datetime import UTC, datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd import selftest
from custom_components.clawd.const import CONF_SELF_TEST_SCHEDULE
from custom_components.clawd.selftest import schedule as schedules


@pytest.mark.parametrize("schedule", ["weekly", "daily"])
@pytest.mark.parametrize("zone", ["Europe/Helsinki", "Europe/Berlin", "Africa/Cairo"])
@pytest.mark.parametrize(
    "saturday",
    [datetime(2027, 3, 27, 12, tzinfo=UTC), datetime(2027, 10, 30, 12, tzinfo=UTC)],
)
async def test_a_self_test_runs_once_on_the_day_on_which_clocks_change(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    schedule: str,
    zone: str,
    saturday: datetime,
) -> None:
    tests: list[int] = []

    async def count(*_: object) -> None:
        tests.append(len(tests))

    monkeypatch.setattr(schedules, "async_run", count)
    await hass.config.async_set_time_zone(zone)
    hass.config_entries.async_update_entry(
        new_entry, options={CONF_SELF_TEST_SCHEDULE: schedule}
    )
    freezer.move_to(saturday)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    for minutes in range(0, 24 * 60, 30):
        now = saturday + timedelta(minutes=minutes)
        freezer.move_to(now)
        async_fire_time_changed(hass, now)
        await hass.async_block_till_done()

    assert tests == [0]
    assert not selftest.is_running(hass, new_entry)
