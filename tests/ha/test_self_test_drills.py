"""Drills: healthy systems pass them, others refuse them, and none is left changed."""

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
from custom_components.clawd.gateway import GatewayError
from custom_components.clawd.gateway.connection import Connection
from custom_components.clawd.gateway.endpoint import netloc
from custom_components.clawd.selftest import checks_reload, interruption
from custom_components.clawd.selftest.history import async_load_reports
from custom_components.clawd.selftest.model import Mode
from custom_components.clawd.selftest.registry import CHECKS
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator, Pause, Refusal, Reply

from .faults_drills import end_at_an_abort
from .live import Live
from .self_test import WORKS_LONG, Report, bad, run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

DRILLS = [check.id for check in CHECKS if check.mode is Mode.DRILL]
RELOADS = ["entry_reload", "bus_listeners", "instances", "sockets"]


async def _drill(hass: HomeAssistant, *checks: str) -> Report:
    return await run_self_test(hass, mode="drill", checks=list(checks or DRILLS))


@WORKS_LONG
@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_healthy_system_passes_every_drill_again_and_again(
    live: Live, protocol: int
) -> None:
    for _ in range(2):
        report = await _drill(live.hass)

        assert statuses(report) == dict.fromkeys(DRILLS, "pass")
        assert report["status"] == "pass"
        assert report["gateway"]["protocol"] == protocol


@WORKS_LONG
async def test_a_drill_leaves_nothing_behind(live: Live) -> None:
    entries, entry_id = live.hass.config_entries, live.entry.entry_id
    await _drill(live.hass)
    assert await entries.async_unload(entry_id)
    await live.gateway.wait_until(lambda: not live.gateway.peers)

    async with no_leaks():
        assert await entries.async_setup(entry_id)
        await _drill(live.hass)
        assert await entries.async_unload(entry_id)
        await live.gateway.wait_until(lambda: not live.gateway.peers)


@WORKS_LONG
async def test_a_system_that_has_just_reconnected_passes(live: Live) -> None:
    live.gateway.drop()
    await wait_for_state(live.hass, CONNECTIVITY, "off")
    await wait_for_state(live.hass, CONNECTIVITY, "on")

    assert not bad(await _drill(live.hass))


async def test_drills_do_not_look_like_a_storm(live: Live) -> None:
    for _ in range(4):
        report = await _drill(live.hass, "task_growth", "backoff_schedule")

        assert not bad(report)


async def test_a_drill_needs_its_mode(live: Live) -> None:
    before = live.runtime

    report = await run_self_test(live.hass, checks=["drill_abort", "entry_reload"])

    assert set(statuses(report).values()) == {"skip"}
    assert live.runtime is before
    assert live.runtime.client.statistics.drops == 0


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_run_under_way_is_not_interrupted(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause())
    client = entry.runtime_data.client
    run = await client.start_run("Hello", session_key="agent:main:ha-busy")

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


async def test_a_run_that_starts_meanwhile_is_not_interrupted(live: Live) -> None:
    live.gateway.script(Reply("Wait."), Pause())
    live.gateway.hold("health")
    client = live.runtime.client
    checks = ["round_trip", "drill_abort", "entry_reload"]
    drill = asyncio.create_task(_drill(live.hass, *checks))
    await live.gateway.wait_for_request("health")
    run = await client.start_run("Hello", session_key="agent:main:ha-busy")

    live.gateway.release("health")
    report = await drill

    assert statuses(report) == {
        "round_trip": "pass",
        "drill_abort": "skip",
        "entry_reload": "skip",
    }
    assert "must not be interrupted" in report["checks"][1]["message"]
    live.gateway.proceed()
    await run.result()


async def test_a_gateway_that_does_not_come_back_is_no_illness_of_ours(
    live: Live,
) -> None:
    live.monkeypatch.setattr(interruption, "BUDGET", 0.1)
    live.gateway.refuse(Refusal.STARTING_HTTP)

    report = await _drill(live.hass)

    assert set(statuses(report).values()) == {"skip"}
    assert report["readiness"] == "fail"
    assert report["liveness"] == "pass"


@pytest.mark.parametrize("check", ["task_growth", "memory", "log_redaction"])
async def test_a_check_that_reconnects_needs_the_connection_back(
    live: Live, check: str
) -> None:
    live.monkeypatch.setattr(interruption, "BUDGET", 0.1)
    live.gateway.refuse(Refusal.TOKEN_MISMATCH)

    report = await _drill(live.hass, check)

    assert statuses(report) == {check: "skip"}
    assert not tracemalloc.is_tracing()


async def test_a_connection_that_stays_away_is_brought_back(live: Live) -> None:
    await end_at_an_abort(live)

    report = await _drill(live.hass, "drill_abort", "drill_restart")

    assert statuses(report) == {"drill_restart": "pass", "drill_abort": "fail"}
    assert report["readiness"] == "pass"


async def test_a_reload_keeps_the_report_and_the_caller(live: Live) -> None:
    before = live.runtime

    report = await _drill(live.hass, *RELOADS)

    assert live.runtime is not before
    assert live.runtime.reports.data == report
    assert live.entry.state is ConfigEntryState.LOADED


async def test_a_reload_does_not_end_a_self_test_that_nobody_waits_for(
    live: Live,
) -> None:
    fields = {"mode": "drill", "checks": RELOADS}
    await live.hass.services.async_call("clawd", "self_test", fields, blocking=False)
    await live.hass.async_block_till_done()

    report = dict(live.runtime.reports.data or {})
    assert list(statuses(report)) == RELOADS


@pytest.mark.parametrize("check", RELOADS)
async def test_an_entry_that_does_not_come_back_is_a_fault(
    live: Live, check: str
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    live.monkeypatch.setattr(integration, "async_get_endpoint", fail)

    report = await _drill(live.hass, check, "protocol")

    assert bad(report) == {check: "fail"}
    assert "setup_error" in report["checks"][-1]["message"]
    assert report["checks"][-1]["hint"]
    assert report["readiness"] == "fail"
    assert await async_load_reports(live.hass, live.entry) == (report,)


async def test_nobody_waits_for_ever_for_a_reload(live: Live) -> None:
    live.monkeypatch.setattr(interruption, "RELOAD_BUDGET", 0.05)
    live.gateway.hold("connect")

    report = await _drill(live.hass, "entry_reload")

    assert bad(report) == {"entry_reload": "fail"}
    assert "setup_in_progress" in report["checks"][0]["message"]
    live.gateway.release("connect")
    await live.hass.async_block_till_done()
    assert live.entry.state is ConfigEntryState.LOADED


async def test_sockets_are_not_counted_where_they_cannot_be_seen(live: Live) -> None:
    live.monkeypatch.setattr(checks_reload, "PROCESS", Path("/nowhere"))

    report = await _drill(live.hass, "sockets")

    assert statuses(report) == {"sockets": "skip"}
    assert report["checks"][0]["hint"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.WARNING])
async def test_the_log_is_left_as_it_was(
    live: Live, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(level, LOGGER.name)
    before = (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers))
    caplog.clear()

    report = await _drill(live.hass, "log_redaction")

    assert statuses(report) == {"log_redaction": "pass"}
    assert (LOGGER.level, LOGGER.propagate, list(LOGGER.handlers)) == before
    lost = [record for record in caplog.records if "lost" in record.message]
    assert len(lost) == 1
    own = [record for record in caplog.records if record.name.startswith(LOGGER.name)]
    assert all(record.levelno >= LOGGER.getEffectiveLevel() for record in own)


async def test_a_trace_of_memory_that_runs_already_goes_on(live: Live) -> None:
    tracemalloc.start()
    try:
        report = await _drill(live.hass, "memory")
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()

    assert statuses(report) == {"memory": "pass"}


async def test_what_is_kept_once_is_no_growth(live: Live) -> None:
    real: Any = Connection.serve
    kept: list[str] = []

    async def serve(connection: Connection, *duties: object) -> GatewayError:
        kept[:] = kept or [netloc("a" * 400_000, 1)]
        error: GatewayError = await real(connection, *duties)
        return error

    live.monkeypatch.setattr(Connection, "serve", serve)

    report = await _drill(live.hass, "memory")

    assert statuses(report) == {"memory": "pass"}


@pytest.mark.parametrize("frozen", [False, True])
async def test_what_is_frozen_stays_frozen_and_nothing_else(
    live: Live,
    frozen: bool,  # noqa: FBT001 - a column of the table
) -> None:
    gc.unfreeze()
    if frozen:
        gc.freeze()

    report = await _drill(live.hass, "instances")

    assert statuses(report) == {"instances": "pass"}
    assert (gc.get_freeze_count() > 0) is frozen
    gc.unfreeze()
