"""Each fault is seen by the check that is made for it, and by no other."""

import json

import pytest

from custom_components.clawd.selftest import checks_gateway, detectors
from custom_components.clawd.selftest.registry import CHECKS

from . import faults, faults_connection, faults_drills, faults_entry
from .fault_coverage import FaultCoverage, full_faults
from .fault_reports import report_of
from .faults import stray_task
from .live import Fault, Live
from .said import assert_says
from .self_test import bad, run_self_test

ALIEN = json.dumps({"type": "res", "id": "alien", "ok": True, "payload": {}})


ALL_FAULTS = [
    *faults.FAULTS,
    *faults_connection.FAULTS,
    *faults_entry.FAULTS,
    *faults_drills.FAULTS,
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Plant each fault, on both protocols where they differ or --full-faults."""
    if "fault" in metafunc.fixturenames:
        full = full_faults(metafunc.config)
        rows = [
            pytest.param(fault, protocol, id=f"{fault.name}-{protocol}")
            for fault in ALL_FAULTS
            for protocol in fault.protocols
            if full or fault.differs or protocol == fault.protocols[-1]
        ]
        metafunc.parametrize(("fault", "protocol"), rows)


@pytest.mark.usefixtures("protocol")
async def test_a_fault_fails_its_check_and_no_other(
    live: Live,
    fault: Fault,
    fault_coverage: FaultCoverage,
    pytestconfig: pytest.Config,
) -> None:
    await fault.plant(live)

    # The drills take half a second of the processor.
    alone = fault.mode == "drill" and not full_faults(pytestconfig)
    checks = {"checks": [fault.check]} if alone else {}
    report = await run_self_test(live.hass, mode=fault.mode, **checks)

    found = bad(report)
    fault_coverage.note(fault.text, fault.check, live.gateway.protocol, found)
    assert found == {fault.check: fault.status}
    [seen] = [c for c in report["checks"] if c["id"] == fault.check]
    assert seen["hint"]
    assert_says(seen, report_of(fault.name))
    assert live.gateway.token not in json.dumps(report)
    live.monkeypatch.undo()


def test_each_check_has_a_fault() -> None:
    seen = {fault.check for fault in ALL_FAULTS}
    assert seen == {check.id for check in CHECKS}


async def test_a_slow_gateway_is_a_warning(live: Live) -> None:
    live.monkeypatch.setattr(checks_gateway, "ROUND_TRIP_WARN", 0.0)

    report = await run_self_test(live.hass)

    assert bad(report) == {"round_trip": "warn"}
    assert report["readiness"] == report["status"] == "warn"
    assert report["liveness"] == "pass"


async def test_a_check_that_breaks_says_so(live: Live) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(live.gateway.token)

    live.monkeypatch.setattr(detectors, "duplicates", broken)

    report = await run_self_test(live.hass, checks=["handler_duplicates"])

    assert bad(report) == {"handler_duplicates": "error"}
    assert report["checks"][0]["message"].startswith("The check itself failed")
    assert live.gateway.token not in json.dumps(report)


async def test_a_leaked_task_comes_with_its_call_graph(live: Live) -> None:
    await stray_task(live)

    report = await run_self_test(live.hass, checks=["task_inventory"])

    [check] = report["checks"]
    assert "GatewayClient.wait_connected" in check["message"]
    assert any("client.py" in line for line in check["details"])
