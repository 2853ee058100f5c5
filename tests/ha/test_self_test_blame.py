"""Origins of check results."""

import asyncio
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.const import CONF_FINGERPRINT, DOMAIN, LOGGER
from custom_components.clawd.gateway import MissingScopeError
from custom_components.clawd.reports import Mode, Origin, Report, Status
from custom_components.clawd.selftest import drill_tools, loop_watch, runner
from custom_components.clawd.selftest.checks import requests, tasks
from custom_components.clawd.selftest.loop_watch import LoopWatch
from custom_components.clawd.selftest.model import Check, CheckContext, CheckResult
from custom_components.clawd.selftest.registry import CHECKS
from tests.simulator import GatewaySimulator
from tests.simulator.tls import certificate, fingerprint, server_context

from .check_stubs import check_of, check_stub, run_stubs
from .fault_harness import FaultHarness, poll
from .faults.transport import missing_scope
from .self_test import problems, run_self_test, statuses
from .states import CONNECTIVITY, wait_for_state

DRILLS = [check.id for check in CHECKS if check.mode is Mode.DRILL]


def _result(report: Report, check_id: str) -> dict[str, Any]:
    [check] = [check for check in report["checks"] if check["id"] == check_id]
    return dict(check)


@pytest.mark.parametrize("origin", Origin)
async def test_liveness_fails_for_the_integration_only(
    hass: HomeAssistant, entry: MockConfigEntry, origin: Origin
) -> None:
    report = await run_stubs(hass, entry, check_stub(Status.FAIL, "stub", origin))

    own = origin is Origin.INTEGRATION
    assert report["checks"][0]["origin"] == origin
    assert report["liveness"] == ("fail" if own else "pass")
    assert report["readiness"] == ("pass" if own else "fail")
    assert report["status"] == "fail"


async def test_a_result_may_blame_another_than_its_check(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async def run(_: CheckContext) -> CheckResult:
        return CheckResult(status=Status.FAIL, origin=Origin.NETWORK)

    report = await run_stubs(hass, entry, check_of(run))

    assert report["checks"][0]["origin"] == "network"
    assert report["liveness"] == "pass"


async def _hang(_: CheckContext) -> CheckResult:
    await asyncio.Event().wait()
    raise NotImplementedError


async def _fail(_: CheckContext) -> CheckResult:
    return CheckResult(status=Status.FAIL)


@pytest.mark.parametrize(
    ("lag", "status"), [(0.04, "fail"), (0.06, "skip")], ids=["on time", "late"]
)
async def test_a_time_that_a_late_loop_has_spoiled_says_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    lag: float,
    status: str,
) -> None:
    monkeypatch.setattr(LoopWatch, "lag_since", lambda *_: lag)
    timed = replace(check_of(_fail, "timed"), max_lag=0.05)
    untimed = check_of(_fail, "untimed")

    report = await run_stubs(hass, entry, timed, untimed)

    assert statuses(report) == {"timed": status, "untimed": "fail"}
    if status == "skip":
        assert "60 ms" in _result(report, "timed")["message"]


@pytest.mark.parametrize(("lag", "status"), [(0.0, "error"), (0.01, "skip")])
async def test_a_late_loop_is_why_a_check_takes_too_long(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    lag: float,
    status: str,
) -> None:
    monkeypatch.setattr(LoopWatch, "lag_since", lambda *_: lag)

    report = await run_stubs(hass, entry, check_of(_hang, timeout=0.02))

    assert statuses(report) == {"stub": status}


async def test_a_slow_gateway_is_why_a_check_takes_too_long(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async def run(_: CheckContext) -> CheckResult:
        times = dict.fromkeys(("median", "slow", "longest"), "6100")
        return CheckResult(status=Status.WARN, placeholders=times)

    slow = check_of(run, "round_trip", Origin.GATEWAY)

    report = await run_stubs(hass, entry, slow, check_of(_hang, timeout=0.02))

    assert statuses(report) == {"round_trip": "warn", "stub": "skip"}
    assert "the Gateway is slow" in _result(report, "stub")["message"]


async def test_a_slow_gateway_is_why_the_probe_proves_nothing(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(requests, "ROUND_TRIP_FAIL", 0.02)
    harness.monkeypatch.setattr(requests, "LATE_RESPONSE_TIMEOUT", 0.02)
    harness.gateway.hold("health")
    harness.gateway.hold("agent.wait")

    report = await run_self_test(harness.hass)

    assert problems(report) == {"round_trip": "fail"}
    probe = _result(report, "timeout_probe")
    assert (probe["status"], probe["origin"]) == ("skip", "integration")
    assert "the Gateway is slow" in probe["message"]
    assert report["liveness"] == "pass"
    assert "while the event loop is on time" in report["suspects"][0]


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_right_that_is_missing_is_no_fault(harness: FaultHarness) -> None:
    await missing_scope(harness)
    for peer in harness.gateway.connections:
        peer.params["scopes"] = ["operator.read"]

    report = await run_self_test(harness.hass)

    assert problems(report) == {"scopes": "fail"}
    probe = _result(report, "timeout_probe")
    assert probe["status"] == "skip"
    assert "operator.write" in probe["message"]
    assert report["liveness"] == "pass"
    assert "operator.write" in report["suspects"][0]


async def test_a_right_that_is_not_named_is_known_by_its_code(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async def run(_: CheckContext) -> CheckResult:
        raise MissingScopeError("injected", code="MISSING_SCOPE", scopes=())

    report = await run_stubs(hass, entry, check_of(run))

    assert statuses(report) == {"stub": "skip"}
    assert "MISSING_SCOPE" in report["checks"][0]["message"]


async def test_a_single_hiccup_of_the_loop_is_no_fault(harness: FaultHarness) -> None:
    harness.monkeypatch.setattr(loop_watch, "MAX_LAG", 0.02)
    harness.monkeypatch.setattr(loop_watch, "INTERVAL", 0.005)
    harness.monkeypatch.setattr(tasks, "LAG_EXTENSION", 0.15)
    harness.monkeypatch.setattr(LoopWatch, "seconds", 9.0)

    def block() -> None:
        end = perf_counter() + 0.05
        while perf_counter() < end:
            continue

    harness.hass.loop.call_later(0.007, block)

    report = await run_self_test(harness.hass, checks=["loop_lag"])

    assert problems(report) == {}
    assert _result(report, "loop_lag")["observed_value"] >= 20


# Drills and a Gateway that is frozen.


@pytest.fixture
def frozen(harness: FaultHarness) -> FaultHarness:
    """Return a system with a frozen Gateway."""
    harness.monkeypatch.setattr(drill_tools, "RECONNECT_TIMEOUT", 0.2)
    return harness


def _mute(gateway: GatewaySimulator) -> None:
    gateway.mute()


def _hold(gateway: GatewaySimulator) -> None:
    gateway.hold("connect")


def _thaw(gateway: GatewaySimulator) -> None:
    if not gateway.muted:
        gateway.release("connect")


@pytest.mark.parametrize("freeze", [_mute, _hold])
async def test_a_gateway_that_freezes_in_a_drill_is_no_illness_of_ours(
    frozen: FaultHarness,
    freeze: Any,  # noqa: ANN401 - a function of the table
) -> None:
    async def wait_again(*_: object) -> None:
        raise NotImplementedError

    # A Gateway that leaves an attempt waiting is not waited for twice.
    frozen.monkeypatch.setattr(drill_tools, "_restore_connection", wait_again)
    freeze(frozen.gateway)
    frozen.cleanup.callback(_thaw, frozen.gateway)

    report = await run_self_test(frozen.hass, mode="drill", checks=DRILLS)

    assert statuses(report) == {
        **dict.fromkeys(DRILLS, "skip"),
        "drill_restart": "fail",
    }
    assert _result(report, "drill_restart")["origin"] == "gateway"
    assert "had not answered" in _result(report, "drill_restart")["message"]
    assert (report["liveness"], report["readiness"]) == ("pass", "fail")
    assert report["duration_ms"] < 5_000
    assert any("handshake" in text or "drill" in text for text in report["suspects"])


async def test_a_gateway_that_does_not_answer_is_not_drilled(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(requests, "ROUND_TRIP_FAIL", 0.02)
    harness.gateway.hold("health")
    before = harness.runtime.client.statistics.drops

    report = await run_self_test(harness.hass, mode="drill")

    assert problems(report) == {"round_trip": "fail"}
    assert {statuses(report)[drill] for drill in DRILLS} == {"skip"}
    assert "the Gateway is slow" in _result(report, "memory")["message"]
    assert harness.runtime.client.statistics.drops == before


async def test_a_reload_that_waits_for_the_gateway_blames_it(
    harness: FaultHarness,
) -> None:
    harness.monkeypatch.setattr(drill_tools, "RELOAD_TIMEOUT", 0.05)
    harness.gateway.hold("connect")

    report = await run_self_test(harness.hass, mode="drill", checks=["entry_reload"])

    assert _result(report, "entry_reload")["origin"] == "gateway"
    assert report["liveness"] == "pass"
    harness.gateway.release("connect")
    await harness.hass.async_block_till_done()


def _drill_stub(run: Any) -> Check:  # noqa: ANN401 - a check's function
    return replace(check_of(run, "memory"), mode=Mode.DRILL)


async def _drill(harness: FaultHarness, check: Check, seconds: float) -> dict[str, Any]:
    harness.monkeypatch.setattr(runner, "DRILL_TIMEOUT", seconds)
    running = runner.RunningSelfTests()
    report = await running.async_run(harness.hass, harness.entry, Mode.DRILL, [check])
    return _result(report, check.id)


async def test_drills_end_in_time(harness: FaultHarness) -> None:
    result = await _drill(harness, _drill_stub(_hang), 0.05)
    assert result["status"] == "skip"
    assert "taken all the time" in result["message"]

    result = await _drill(harness, _drill_stub(_fail), 0.0)
    assert result["status"] == "skip"

    harness.monkeypatch.setattr(runner, "MIN_DRILL_TIME", 0.0)
    result = await _drill(harness, _drill_stub(_hang), 0.05)
    assert (result["status"], result["origin"]) == ("error", "integration")


async def test_a_drill_that_waits_for_the_gateway_blames_it(
    harness: FaultHarness,
) -> None:
    async def wait_for_the_gateway(context: CheckContext) -> CheckResult:
        harness.gateway.hold("connect")
        harness.gateway.drop()
        return await _hang(context)

    result = await _drill(harness, _drill_stub(wait_for_the_gateway), 0.1)

    assert result["status"] == "skip"
    assert "the Gateway is slow" in result["message"]
    harness.gateway.release("connect")
    await harness.runtime.client.wait_connected()


# What a skipped check says.


async def test_an_open_dialog_is_called_a_dialog(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )

    report = await run_self_test(hass, checks=["timer_registry"])

    assert statuses(report) == {"timer_registry": "skip"}
    assert "a dialog of this integration is open" in report["checks"][0]["message"]
    assert entry.state is ConfigEntryState.LOADED
    hass.config_entries.flow.async_abort(flow["flow_id"])


async def test_frames_that_cannot_be_decoded_explain_gaps(
    harness: FaultHarness,
) -> None:
    harness.gateway.send_raw("no JSON")
    await harness.runtime.client.request("health")
    harness.runtime.client.statistics.sequence_gaps += 1

    report = await run_self_test(harness.hass)

    assert problems(report) == {"frames_decoded": "fail"}
    assert "frames_decoded" in _result(report, "sequence_gaps")["hint"]
    assert report["liveness"] == "pass"
    assert "could not be decoded" in report["suspects"][0]


async def test_missing_and_additional_tasks_are_told_apart(
    harness: FaultHarness,
) -> None:
    harness.start_stray_task()
    tasks = harness.runtime.client.introspection.tasks
    [run] = [task for task, name in tasks.items() if name == "run"]
    run.cancel()
    await asyncio.wait([run])

    report = await run_self_test(harness.hass, checks=["task_inventory"])

    message = _result(report, "task_inventory")["message"]
    assert message.startswith("Tasks that should run do not: run. Tasks run that")
    assert "GatewayClient.wait_connected" in message
    assert "has ended" in report["suspects"][0]


# The certificate that the Gateway shows now.


@pytest.fixture
async def pinned(
    hass: HomeAssistant, tmp_path: Path, new_entry: MockConfigEntry
) -> Any:  # noqa: ANN401 - a generator of a pair
    """Set up an entry for a Gateway with a pinned certificate."""
    path = certificate(tmp_path)
    async with GatewaySimulator(ssl=server_context(path)) as gateway:
        data = {
            **new_entry.data,
            "port": gateway.port,
            "ssl": True,
            CONF_FINGERPRINT: fingerprint(path),
        }
        hass.config_entries.async_update_entry(new_entry, data=data)
        assert await hass.config_entries.async_setup(new_entry.entry_id)
        yield gateway, tmp_path
        assert await hass.config_entries.async_unload(new_entry.entry_id)


def _renew(gateway: GatewaySimulator, folder: Path) -> None:
    """Renew the certificate for new connections."""
    (folder / "new").mkdir()
    assert gateway.ssl
    gateway.ssl.load_cert_chain(certificate(folder / "new"))


async def test_a_renewed_certificate_is_seen_before_the_next_connection(
    hass: HomeAssistant, pinned: tuple[GatewaySimulator, Path]
) -> None:
    assert problems(await run_self_test(hass)) == {}
    _renew(*pinned)

    passive = await run_self_test(hass, mode="passive")
    active = await run_self_test(hass)

    assert problems(passive) == {}
    assert problems(active) == {"transport_trust": "fail"}
    trust = _result(active, "transport_trust")
    assert (trust["origin"], trust["observed_value"]) == ("network", "TLS_FINGERPRINT")
    assert active["liveness"] == "pass"
    assert "another certificate" in active["suspects"][0]


async def test_a_renewed_certificate_keeps_the_client_away(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    pinned: tuple[GatewaySimulator, Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway, _ = pinned
    _renew(*pinned)
    gateway.drop()
    client = new_entry.runtime_data.client
    await poll(lambda: client.state == "paused")

    report = await run_self_test(hass, mode="passive")

    assert problems(report) == {"transport_trust": "fail"}
    assert "another certificate" in report["suspects"][0]
    assert (report["liveness"], report["readiness"]) == ("pass", "fail")
    assert "The Gateway's address is not trusted (TLS_FINGERPRINT)" in caplog.text
    assert "The Gateway refuses" not in caplog.text


async def test_an_address_that_is_exposed_is_no_illness_of_ours(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    client = entry.runtime_data.client
    exposed = replace(client.endpoint, host="8.8.8.8")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(client), "endpoint", exposed)
        report = await run_self_test(hass, checks=["transport_trust"])

    assert problems(report) == {"transport_trust": "fail"}
    assert report["liveness"] == "pass"


async def test_the_log_says_that_a_drill_does_it(
    harness: FaultHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", LOGGER.name)

    await run_self_test(harness.hass, mode="drill", checks=["drill_abort"])

    messages = [r.getMessage() for r in caplog.records if r.name == LOGGER.name]
    assert messages == [
        "The self-test interrupts the connection (1006)",
        "Connection to the Gateway restored",
    ]
    lost = [t for t in harness.runtime.client.introspection.transitions if t.error]
    assert [t.drill for t in lost] == [True]
