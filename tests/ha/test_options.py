"""Tests of the options and of scheduled self-tests."""

from datetime import datetime, timedelta
import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd import selftest
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import (
    AddressClass,
    GatewayConnectionError,
    RunRequest,
    endpoint as endpoints,
)
from tests.simulator import Ack, GatewaySimulator, Pause

from .downloads import Download
from .flows import suggested_values
from .repair import open_issues
from .self_test import problems, running_self_test

SUNDAY = 6
BUSY = "loop_lag"

pytestmark = pytest.mark.usefixtures("harness")


async def _choose(
    hass: HomeAssistant, entry: MockConfigEntry, **options: object
) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["type"] is FlowResultType.FORM
    result = await hass.config_entries.options.async_configure(form["flow_id"], options)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


def _night(weekday: int) -> datetime:
    """Return 4 a.m. of a weekday, a week from now or later."""
    now = dt_util.now()
    days = 7 + (weekday - now.weekday()) % 7
    return now.replace(hour=4, minute=0, second=0) + timedelta(days=days)


async def _pass_time(hass: HomeAssistant, now: datetime) -> None:
    """Let a time come, and wait for the self-test that it starts."""
    async_fire_time_changed(hass, now)
    [entry] = hass.config_entries.async_entries(DOMAIN)
    while selftest.is_running(hass, entry):
        await hass.async_block_till_done()
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("schedule", "weekday", "tests"),
    [
        (None, 2, 1),
        ("daily", 2, 1),
        ("daily", SUNDAY, 1),
        ("weekly", SUNDAY, 1),
        ("weekly", 2, 0),
        ("off", SUNDAY, 0),
        ("off", 2, 0),
    ],
)
async def test_a_self_test_runs_on_schedule(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    schedule: str | None,
    weekday: int,
    tests: int,
) -> None:
    if schedule:
        await _choose(hass, entry, self_test_schedule=schedule)

    await _pass_time(hass, _night(weekday))

    reports = entry.runtime_data.reports.reports
    assert [report["mode"] for report in reports] == ["active"] * tests
    assert not [name for report in reports for name in problems(report) if name != BUSY]


async def test_a_scheduled_self_test_opens_an_issue(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    unsubscribe = entry.runtime_data.client.subscribe("tick", lambda _: None)

    await _pass_time(hass, _night(2))

    [issue] = open_issues(hass).values()
    assert ": tick." in str(issue.translation_placeholders)
    unsubscribe()


async def test_a_self_test_runs_every_night(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await _pass_time(hass, _night(2))
    await _pass_time(hass, _night(2) + timedelta(days=1))

    assert len(entry.runtime_data.reports.reports) == 2


async def test_no_second_self_test_starts_while_one_runs(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    test = running_self_test(hass, gateway, config_entry=entry.entry_id)
    async with test as running:
        async_fire_time_changed(hass, _night(2))

    report = await running
    await hass.async_block_till_done()
    assert entry.runtime_data.reports.reports == (report,)
    assert "Error executing service" not in caplog.text


async def test_no_self_test_runs_during_the_day(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await _pass_time(hass, _night(2))
    for hour in range(19):
        await _pass_time(hass, _night(2) + timedelta(hours=hour))

    assert len(entry.runtime_data.reports.reports) == 1


async def test_an_unloaded_entry_is_not_tested(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    asked = len(gateway.requests)

    await _pass_time(hass, _night(2))

    assert len(gateway.requests) == asked


async def test_the_form_starts_with_the_defaults(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    form: Any = await hass.config_entries.options.async_init(entry.entry_id)

    assert form["data_schema"]({}) == {
        "self_test_schedule": "daily",
        "keep_run": 120,
        "trace_length": 200,
        "ask_questions": False,
        "warm_up": True,
        "allow_insecure": False,
    }


async def test_the_form_shows_the_stored_options(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    chosen = {
        "self_test_schedule": "weekly",
        "keep_run": 60,
        "trace_length": 3,
        "ask_questions": True,
        "warm_up": False,
        "allow_insecure": True,
    }
    await _choose(hass, entry, **chosen)
    assert entry.options == chosen

    form: Any = await hass.config_entries.options.async_init(entry.entry_id)

    assert suggested_values(form) == chosen


@pytest.mark.parametrize(
    ("hours", "errors"),
    [
        ({"quiet_start": "22:00:00"}, {"quiet_end": "quiet_hours_incomplete"}),
        ({"quiet_end": "07:00:00"}, {"quiet_start": "quiet_hours_incomplete"}),
        (
            {"quiet_start": "07:00:00", "quiet_end": "07:00:00"},
            {"quiet_end": "quiet_hours_equal"},
        ),
        (
            {"quiet_start": "07:00:00", "headers": ["x"]},
            {"quiet_end": "quiet_hours_incomplete", "headers": "invalid_header"},
        ),
    ],
)
async def test_quiet_hours_have_a_start_and_an_end(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hours: dict[str, Any],
    errors: dict[str, str],
) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    options = hass.config_entries.options
    shown: Any = await options.async_configure(form["flow_id"], hours)
    assert shown["errors"] == errors
    assert {key: suggested_values(shown)[key] for key in hours} == hours

    both = {"quiet_start": "22:00:00", "quiet_end": "07:00:00", "headers": []}
    result = await options.async_configure(form["flow_id"], both)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    del both["headers"]
    assert both.items() <= entry.options.items()


@pytest.mark.parametrize("wrong", [{"quiet_start": "25:00"}, {"quiet_end": "soon"}])
async def test_quiet_hours_are_times(
    hass: HomeAssistant, entry: MockConfigEntry, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidData):
        await _choose(hass, entry, **wrong)


@pytest.mark.parametrize(
    "wrong", [{"keep_run": -1}, {"keep_run": 3601}, {"trace_length": 2001}]
)
async def test_values_out_of_range_are_refused(
    hass: HomeAssistant, entry: MockConfigEntry, wrong: dict[str, int]
) -> None:
    with pytest.raises(InvalidData):
        await _choose(hass, entry, **wrong)


async def test_the_trace_has_the_chosen_length(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    await _choose(hass, entry, trace_length=3)
    await hass.config_entries.async_reload(entry.entry_id)

    document = json.loads(await download())

    assert len(document["data"]["trace"]) == 3


async def test_a_run_fails_when_the_connection_is_lost_for_too_long(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await _choose(hass, entry, keep_run=0)
    await hass.config_entries.async_reload(entry.entry_id)
    gateway.script(Ack(), Pause())
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hello", "agent:main:test"))

    await gateway.suspend()

    with pytest.raises(GatewayConnectionError):
        await run.result()


async def test_consent_can_be_withdrawn(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)
    await _choose(hass, entry, allow_insecure=True)
    assert await hass.config_entries.async_reload(entry.entry_id)

    await _choose(hass, entry, allow_insecure=False)
    assert not await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
