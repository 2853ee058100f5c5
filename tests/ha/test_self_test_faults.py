"""Detection of each fault by its check."""

import json

import pytest

from custom_components.clawd.selftest import detectors
from custom_components.clawd.selftest.checks import requests
from custom_components.clawd.selftest.registry import CHECKS

from .fault_coverage import FaultCoverage, full_faults
from .fault_harness import Fault, FaultHarness
from .faults import FAULTS
from .report_assertions import assert_reported
from .self_test import problems, run_self_test


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Inject each fault, on both protocols where they differ or --full-faults."""
    if "fault" in metafunc.fixturenames:
        full = full_faults(metafunc.config)
        rows = [
            pytest.param(fault, protocol, fault.settings, id=f"{fault.name}-{protocol}")
            for fault in FAULTS
            for protocol in fault.protocols
            if full or fault.differs or protocol == fault.protocols[-1]
        ]
        metafunc.parametrize(("fault", "protocol", "agent_settings"), rows)


@pytest.mark.usefixtures("protocol", "agent_settings")
async def test_a_fault_fails_its_check_and_no_other(
    harness: FaultHarness,
    fault: Fault,
    fault_coverage: FaultCoverage,
    pytestconfig: pytest.Config,
) -> None:
    await fault.inject(harness)

    # The drills take half a second of the processor.
    alone = fault.mode == "drill" and not full_faults(pytestconfig)
    checks = {"checks": [fault.check]} if alone else {}
    report = await run_self_test(harness.hass, mode=fault.mode, **checks)

    found = problems(report)
    fault_coverage.add(fault.text, fault.check, harness.gateway.protocol, found)
    assert found == {fault.check: fault.status}
    [failed] = [c for c in report["checks"] if c["id"] == fault.check]
    assert failed["hint"]
    assert_reported(failed, fault.expected)
    assert harness.gateway.token not in json.dumps(report)
    harness.monkeypatch.undo()


def test_each_check_has_a_fault() -> None:
    detected = {fault.check for fault in FAULTS}
    assert detected == {check.id for check in CHECKS}


async def test_a_slow_gateway_is_a_warning(harness: FaultHarness) -> None:
    harness.monkeypatch.setattr(requests, "ROUND_TRIP_WARN", 0.0)

    report = await run_self_test(harness.hass)

    assert problems(report) == {"round_trip": "warn"}
    assert report["readiness"] == report["status"] == "warn"
    assert report["liveness"] == "pass"


async def test_a_check_that_breaks_says_so(harness: FaultHarness) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(harness.gateway.token)

    harness.monkeypatch.setattr(detectors, "duplicates", broken)

    report = await run_self_test(harness.hass, checks=["handler_duplicates"])

    assert problems(report) == {"handler_duplicates": "error"}
    assert report["checks"][0]["message"].startswith("The check itself failed")
    assert harness.gateway.token not in json.dumps(report)


async def test_a_leaked_task_comes_with_its_call_graph(harness: FaultHarness) -> None:
    harness.start_stray_task()

    report = await run_self_test(harness.hass, checks=["task_inventory"])

    [check] = report["checks"]
    assert "GatewayClient.wait_connected" in check["message"]
    assert any("client.py" in line for line in check["details"])
