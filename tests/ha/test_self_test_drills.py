"""Drills of a healthy system."""

import asyncio
import gc
import logging
from pathlib import Path
import tracemalloc
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components.clawd as integration
from custom_components.clawd.const import LOGGER
from custom_components.clawd.gateway import GatewayError, RunRequest
from custom_components.clawd.gateway.endpoint import netloc
from custom_components.clawd.gateway.protocol.connection import Connection
from custom_components.clawd.reports import Mode, Report
from custom_components.clawd.runtime.report_history import async_stored_reports
from custom_components.clawd.selftest import drill_tools
from custom_components.clawd.selftest.checks import reload
from custom_components.clawd.selftest.model import Component
from custom_components.clawd.selftest.registry import CHECKS
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator, Pause, Refusal, Reply

from .fault_harness import FaultHarness
from .faults.drills import stop_at_an_abort
from .self_test import RUNS_LONG, problems, run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

# Those of the home take an agent that has access to it.
DRILLS = [
    check.id
    for check in CHECKS
    if check.mode is Mode.DRILL and check.component is not Component.HOME
]
RELOADS = ["entry_reload", "bus_listeners", "instances", "sockets"]


async def _drill(hass: HomeAssistant, *checks: str) -> Report:
    return await run_self_test(hass, mode="drill", checks=list(checks or DRILLS))


@RUNS_LONG
@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_healthy_system_passes_every_drill_again_and_again(
    harness: FaultHarness, protocol: int
) -> None:
    for _ in range(2):
        report = await _drill(harness.hass)

        assert statuses(report) == dict.fromkeys(DRILLS, "pass")
        assert report["status"] == "pass"
        assert report["gateway"]["protocol"] == protocol


@RUNS_LONG
async def test_a_drill_leaves_nothing_behind(harness: FaultHarness) -> None:
    entries, entry_id = harness.hass.config_entries, harness.entry.entry_id
    await _drill(harness.hass)
    assert await entries.async_unload(entry_id)
    await harness.gateway.wait_until(lambda: not harness.gateway.open_connections)

    async with no_leaks():
        assert await entries.async_setup(entry_id)
        await _drill(harness.hass)
        assert await entries.async_unload(entry_id)
        await harness.gateway.wait_until(lambda: not harness.gateway.open_connections)


@RUNS_LONG
async def test_a_system_that_has_just_reconnected_passes(harness: FaultHarness) -> None:
    harness.gateway.drop()
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await wait_for_state(harness.hass, CONNECTIVITY, "on")

    assert not problems(await _drill(harness.hass))


async def test_drills_do_not_look_like_a_storm(harness: FaultHarness) -> None:
    for _ in range(4):
        report = await _drill(harness.hass, "task_growth", "backoff_schedule")

        assert not problems(report)


async def test_a_drill_needs_its_mode(harness: FaultHarness) -> None:
    before = harness.runtime

    report = await run_self_test(harness.hass, checks=["drill_abort", "entry_reload"])

    assert set(statuses(report).values()) == {"skip"}
    assert harness.runtime is before
    assert harness.runtime.client.statistics.drops == 0


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_run_under_way_is_not_interrupted(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause())
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hello", "agent:main:ha-busy"))

    with pytest.raises(ServiceValidationError) as caught:
        await run_self_test(hass, mode="drill")

    assert caught.value.translation_key == "drill_runs_under_way"
    assert client.statistics.drops == 0
    gateway.proceed()
    await run.result()


async def test_what_is_not_connected_cannot_be_interrupted(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    with pytest.raises(ServiceValidationError) as caught:
        await run_self_test(hass, mode="drill", config_entry=entry.entry_id)

    assert caught.value.translation_key == "drill_not_connected"


async def test_a_run_that_starts_meanwhile_is_not_interrupted(
    harness: FaultHarness,
) -> None:
    harness.gateway.script(Reply("Wait."), Pause())
    harness.gateway.hold("health")
    client = harness.runtime.client
    checks = ["round_trip", "drill_abort", "entry_reload"]
    drill = asyncio.create_task(_drill(harness.hass, *checks))
    await harness.gateway.wait_for_request("health")
    run = await client.start_run(RunRequest("Hello", "agent:main:ha-busy"))

    harness.gateway.release("health")
    report = await drill

    assert statuses(report) == {
        "round_trip": "pass",
        "drill_abort": "skip",
        "entry_reload": "skip",
    }
    assert "must not be interrupted" in report["checks"][1]["message"]
    harness.gateway.proceed()
    await run.result()


async def test_a_gateway_that_does_not_come_back_is_no_illness_of_ours(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(drill_tools, "RECONNECT_TIMEOUT", 0.1)
    harness.gateway.refuse(Refusal.STARTING_HTTP)

    report = await _drill(harness.hass)

    assert set(statuses(report).values()) == {"skip"}
    assert report["readiness"] == "fail"
    assert report["liveness"] == "pass"


@pytest.mark.parametrize("check", ["task_growth", "memory", "log_redaction"])
async def test_a_check_that_reconnects_needs_the_connection_back(
    harness: FaultHarness, check: str
) -> None:
    harness.monkeypatch.setattr(drill_tools, "RECONNECT_TIMEOUT", 0.1)
    harness.gateway.refuse(Refusal.TOKEN_MISMATCH)

    report = await _drill(harness.hass, check)

    assert statuses(report) == {check: "skip"}
    assert not tracemalloc.is_tracing()


async def test_a_connection_that_stays_away_is_brought_back(
    harness: FaultHarness,
) -> None:
    await stop_at_an_abort(harness)

    report = await _drill(harness.hass, "drill_abort", "drill_restart")

    assert statuses(report) == {"drill_restart": "pass", "drill_abort": "fail"}
    assert report["readiness"] == "pass"


async def test_a_reload_keeps_the_report_and_the_caller(harness: FaultHarness) -> None:
    before = harness.runtime

    report = await _drill(harness.hass, *RELOADS)

    assert harness.runtime is not before
    assert harness.runtime.reports.data == report
    assert harness.entry.state is ConfigEntryState.LOADED


async def test_a_reload_does_not_end_a_self_test_that_nobody_waits_for(
    harness: FaultHarness,
) -> None:
    fields = {"mode": "drill", "checks": RELOADS}
    await harness.hass.services.async_call("clawd", "self_test", fields, blocking=False)
    await harness.hass.async_block_till_done()

    report = dict(harness.runtime.reports.data or {})
    assert list(statuses(report)) == RELOADS


@pytest.mark.parametrize("check", RELOADS)
async def test_an_entry_that_does_not_come_back_is_a_fault(
    harness: FaultHarness, check: str
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    harness.monkeypatch.setattr(integration, "async_get_endpoint", fail)

    report = await _drill(harness.hass, check, "protocol")

    assert problems(report) == {check: "fail"}
    assert "setup_error" in report["checks"][-1]["message"]
    assert report["checks"][-1]["hint"]
    assert report["readiness"] == "fail"
    assert await async_stored_reports(harness.hass, harness.entry) == (report,)


async def test_nobody_waits_for_ever_for_a_reload(harness: FaultHarness) -> None:
    harness.monkeypatch.setattr(drill_tools, "RELOAD_TIMEOUT", 0.05)
    harness.gateway.hold("connect")

    report = await _drill(harness.hass, "entry_reload")

    assert problems(report) == {"entry_reload": "fail"}
    assert "setup_in_progress" in report["checks"][0]["message"]
    harness.gateway.release("connect")
    await harness.hass.async_block_till_done()
    assert harness.entry.state is ConfigEntryState.LOADED


async def test_sockets_are_not_counted_where_they_cannot_be_seen(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(reload, "PROCESS", Path("/nowhere"))

    report = await _drill(harness.hass, "sockets")

    assert statuses(report) == {"sockets": "skip"}
    assert report["checks"][0]["hint"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.WARNING])
async def test_the_log_is_left_as_it_was(
    harness: FaultHarness, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, LOGGER.name)
    before = (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers))
    caplog.clear()

    report = await _drill(harness.hass, "log_redaction")

    assert statuses(report) == {"log_redaction": "pass"}
    assert (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers)) == before
    own = [record for record in caplog.records if record.name.startswith(LOGGER.name)]
    logged = [record for record in own if record.levelno > logging.DEBUG]
    told = [record for record in logged if "interrupts" in record.message]
    assert len(told) == (level == logging.NOTSET)
    assert all(record.levelno >= LOGGER.getEffectiveLevel() for record in own)


async def test_a_trace_of_memory_that_runs_already_goes_on(
    harness: FaultHarness,
) -> None:
    tracemalloc.start()
    try:
        report = await _drill(harness.hass, "memory")
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()

    assert statuses(report) == {"memory": "pass"}


async def test_what_is_kept_once_is_no_growth(harness: FaultHarness) -> None:
    real: Any = Connection.serve
    kept: list[str] = []

    async def serve(connection: Connection, *duties: object) -> GatewayError:
        kept[:] = kept or [netloc("a" * 400_000, 1)]
        error: GatewayError = await real(connection, *duties)
        return error

    harness.monkeypatch.setattr(Connection, "serve", serve)

    report = await _drill(harness.hass, "memory")

    assert statuses(report) == {"memory": "pass"}


@pytest.mark.parametrize("frozen", [False, True])
async def test_what_is_frozen_stays_frozen_and_nothing_else(
    harness: FaultHarness,
    frozen: bool,  # noqa: FBT001 - a column of the table
) -> None:
    gc.unfreeze()
    if frozen:
        gc.freeze()

    report = await _drill(harness.hass, "instances")

    assert statuses(report) == {"instances": "pass"}
    assert (gc.get_freeze_count() > 0) is frozen
    gc.freeze()  # or the collection after each test covers all that was imported
