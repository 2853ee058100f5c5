"""Suspects in reports."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from typing import Final

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import RunRequest
from custom_components.clawd.reports import Report, Status
from tests.simulator import GatewaySimulator, Pause, Refusal, Reply

from .check_stubs import check_stub, run_stubs
from .downloads import Download
from .fault_harness import FaultHarness, poll
from .faults.runs import lost_reply, skipped_event
from .faults.security import full_disk
from .faults.tasks import blocked_loop, blocking_listener, unexpected_exception
from .faults.transport import (
    clock_ahead_by_130_s,
    missing_method,
    missing_scope,
    protocol_99,
    skipped_events,
    unannounced_methods,
    undecodable_frame,
)
from .repair import open_issues, texts_of
from .report_assertions import TEXTS, matches
from .self_test import run_self_test
from .states import CONNECTIVITY, SELF_TEST, state_of, wait_for_state

type Inject = Callable[[FaultHarness], Awaitable[None]]


def _refused(refusal: Refusal) -> Inject:
    """Return a fault: the Gateway refuses the next connections."""

    async def inject(harness: FaultHarness) -> None:
        harness.gateway.refuse(refusal)
        await harness.drop_connection()
        await _wait_for_failure(harness)

    return inject


async def _wait_for_failure(harness: FaultHarness) -> None:
    """Wait until an attempt has failed, and the client waits for the next one."""
    client = harness.runtime.client
    waiting = {"paused", "reconnecting"}
    await poll(
        lambda: (
            client.state in waiting
            and client.introspection.transitions[-1].cause in {"failed", "refused"}
        )
    )


async def nobody_listens(harness: FaultHarness) -> None:
    """Stop the Gateway."""
    await harness.gateway.suspend()
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await _wait_for_failure(harness)


async def client_task_gone(harness: FaultHarness) -> None:
    """End the task that keeps the connection."""
    tasks = harness.runtime.client.introspection.tasks
    [run] = [task for task, name in tasks.items() if name == "run"]
    run.cancel()
    await asyncio.wait([run])


async def closed_with_a_reason(harness: FaultHarness) -> None:
    """Close the connection as for a second client with our key."""
    [connection] = harness.gateway.connections
    await connection.websocket.close(1008, "replaced by another client")
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await harness.runtime.client.wait_connected()


async def closed_without_a_reason(harness: FaultHarness) -> None:
    """Close the connection and say nothing."""
    [connection] = harness.gateway.connections
    await connection.websocket.close(4001)
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await harness.runtime.client.wait_connected()


async def cut_line(harness: FaultHarness) -> None:
    """Cut the connection of a Gateway that goes on running."""
    await harness.reconnect()


async def restarted_gateway(harness: FaultHarness) -> None:
    """Restart the Gateway's process."""
    await harness.gateway.restart()
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await harness.runtime.client.wait_connected()


async def other_policy(harness: FaultHarness) -> None:
    """Let the Gateway accept less than before."""
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["policy"].update(maxPayload=524_288)
    )
    await harness.reconnect()


async def slow_gateway(harness: FaultHarness) -> None:
    """Leave `health` without an answer."""
    harness.monkeypatch.setattr(
        "custom_components.clawd.selftest.checks.requests.ROUND_TRIP_FAIL", 0.02
    )
    harness.gateway.hold("health")


async def large_message(harness: FaultHarness) -> None:
    """Send more than the client takes."""
    [connection] = harness.gateway.connections
    harness.gateway.send_raw('{"x":"' + "x" * 27_000_000 + '"}')
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await harness.runtime.client.wait_connected()
    assert connection.dropped or connection not in harness.gateway.connections


# The fault, the rule that it makes speak first, and the placeholders of its sentence.
CASES: Final[list[tuple[Inject, str, dict[str, object]]]] = [
    (
        _refused(Refusal.TOKEN_MISMATCH),
        "token_refused",
        {"code": "AUTH_TOKEN_MISMATCH"},
    ),
    (_refused(Refusal.RATE_LIMITED), "rate_limited", {"code": "AUTH_RATE_LIMITED"}),
    (
        _refused(Refusal.SIGNATURE),
        "device_refused",
        {"code": "DEVICE_AUTH_SIGNATURE_INVALID"},
    ),
    (_refused(Refusal.PROXY), "proxy_refused", {"code": "PROXY_ATTRIBUTION_REQUIRED"}),
    (_refused(Refusal.SIGN_IN), "sign_in_required", {"code": "HTTP_302"}),
    (_refused(Refusal.STARTING_HTTP), "http_refused", {"status": 503}),
    (_refused(Refusal.NOT_A_GATEWAY), "not_a_gateway", {"code": "HTTP_404"}),
    (
        _refused(Refusal.DROP_BEFORE_CHALLENGE),
        "gateway_starting",
        {"code": "HUNG_UP"},
    ),
    (nobody_listens, "port_closed", {"code": "REFUSED"}),
    (protocol_99, "protocol_unsupported", {"version": 99}),
    (client_task_gone, "client_stopped", {}),
    (unexpected_exception, "main_loop_errors", {"count": 1}),
    (
        closed_with_a_reason,
        "closed_for_reason",
        {"count": 1, "code": 1008, "reason": "replaced by another client"},
    ),
    (closed_without_a_reason, "closed_by_gateway", {"count": 1, "code": 4001}),
    (large_message, "message_too_large", {"code": 1009}),
    (cut_line, "line_cut", {"count": 1}),
    (restarted_gateway, "gateway_restarted", {"count": 1}),
    (other_policy, "hello_changed", {"changes": "max_payload 26214400 → 524288"}),
    (slow_gateway, "gateway_slow", {"seconds": "0.0"}),
    (undecodable_frame, "frames_invalid", {"count": 1}),
    (full_disk, "store_not_written", {"names": ".storage"}),
    (lost_reply, "replies_lost", {"lost": 1, "count": 1, "codes": 1006}),
    (missing_scope, "rights_missing", {"names": "operator.write"}),
    (missing_method, "methods_missing", {"names": "chat.history"}),
    (unannounced_methods, "methods_not_announced", {"count": "#"}),
    (clock_ahead_by_130_s, "clocks_differ", {"seconds": "-#"}),
    (skipped_event, "run_events_skipped", {"count": 1}),
    (skipped_events, "events_lost", {"count": 1}),
    (blocked_loop, "loop_late_by", {"slow": "#", "name": "_work (faults/tasks.py)"}),
    (
        blocking_listener,
        "loop_blocked",
        {"slow": "#", "name": "_work (faults/tasks.py)"},
    ),
]


@pytest.mark.parametrize(
    ("inject", "rule", "placeholders"), CASES, ids=[rule for _, rule, _ in CASES]
)
async def test_a_fault_is_named_in_the_first_sentence(
    harness: FaultHarness, inject: Inject, rule: str, placeholders: dict[str, object]
) -> None:
    await inject(harness)

    report = await run_self_test(harness.hass)

    harness.monkeypatch.undo()
    expected = TEXTS[f"suspect_{rule}"]["message"].format(**placeholders)
    assert report["suspects"], report["summary"]
    assert matches(expected, report["suspects"][0]), report["suspects"]
    assert len(report["suspects"]) <= 3
    shown = state_of(harness.hass, SELF_TEST).attributes
    assert shown["suspects"] == report["suspects"]


async def test_a_healthy_system_has_no_suspects(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert report["suspects"] == []
    assert report["questions"] == []


async def test_where_something_answers_the_hint_does_not_ask_whether_it_runs(
    harness: FaultHarness,
) -> None:
    await _refused(Refusal.TOKEN_MISMATCH)(harness)

    report = await run_self_test(harness.hass, checks=["round_trip", "tick_age"])

    hints = {check["id"]: check["hint"] for check in report["checks"]}
    assert "suspects" in hints["tick_age"]
    assert "runs" not in hints["tick_age"]


async def test_where_nothing_answers_the_hint_asks_whether_it_is_running(
    harness: FaultHarness,
) -> None:
    await nobody_listens(harness)

    report = await run_self_test(harness.hass, checks=["tick_age"])

    assert "is running" in report["checks"][0]["hint"]


async def test_the_last_questions_are_in_report_and_diagnostics(
    harness: FaultHarness, download: Download
) -> None:
    client = harness.runtime.client
    harness.gateway.script(Reply("secret-reply"))
    for _ in range(12):
        run = await client.start_run(RunRequest("secret-question", "agent:main:ha-x"))
        await run.result()

    report = await run_self_test(harness.hass)
    body = await download()

    assert [question["code"] for question in report["questions"]] == ["ok"] * 10
    assert [q["code"] for q in json.loads(body)["data"]["questions"]] == ["ok"] * 10
    assert "secret-" not in json.dumps(report) + body


async def test_the_same_sentences_are_in_the_repair(harness: FaultHarness) -> None:
    await undecodable_frame(harness)

    report = await run_self_test(harness.hass)

    [issue] = open_issues(harness.hass).values()
    text = await texts_of(harness.hass, issue)
    assert report["suspects"][0] in text
    assert "frames_decoded" not in report["suspects"][0]


async def test_diagnostics_name_the_cause_without_a_self_test(
    harness: FaultHarness, download: Download
) -> None:
    await _refused(Refusal.TOKEN_MISMATCH)(harness)

    data = json.loads(await download())["data"]

    assert data["self_test"] is None
    [sentence] = data["suspects"]
    assert "refuses the token" in sentence
    refused = data["connection"]["error"]
    assert refused["code"] == "AUTH_TOKEN_MISMATCH"


@pytest.mark.parametrize(
    ("refusal", "sentence", "code"),
    [
        (Refusal.TOKEN_MISMATCH, "refuses the token", "AUTH_TOKEN_MISMATCH"),
        (Refusal.NOT_A_GATEWAY, "is no Gateway", "HTTP_404"),
    ],
)
async def test_diagnostics_name_what_kept_an_entry_from_being_set_up(  # noqa: PLR0913, PLR0917 - the row
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    download: Download,
    refusal: Refusal,
    sentence: str,
    code: str,
) -> None:
    gateway.refuse(refusal)
    await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    data = json.loads(await download())["data"]

    assert sentence in data["suspects"][0]
    errors = [t["error"]["code"] for t in data["transitions"] if t["error"]]
    assert code in errors


async def test_diagnostics_of_an_entry_that_is_fine_name_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, download: Download
) -> None:
    assert json.loads(await download())["data"]["suspects"] == []

    assert await hass.config_entries.async_unload(entry.entry_id)

    data = json.loads(await download())["data"]
    assert data["suspects"] == []


async def test_a_close_says_who_and_why_in_the_diagnostics(
    harness: FaultHarness, download: Download
) -> None:
    await closed_with_a_reason(harness)

    data = json.loads(await download())["data"]

    [lost] = [change for change in data["transitions"] if change["error"]]
    assert (lost["closed_by"], lost["close_reason"]) == (
        "peer",
        "replaced by another client",
    )
    assert lost["error"]["meaning"] == (
        "The Gateway refuses this client; the reason says why."
    )


async def test_reports_tell_of_reconnects(
    harness: FaultHarness, download: Download
) -> None:
    await other_policy(harness)

    report = await run_self_test(harness.hass, mode="passive")
    data = json.loads(await download())["data"]

    [reconnect] = report["gateway"]["reconnects"]
    assert reconnect["restarted"] is False
    assert reconnect["changes"] == {"max_payload": [26_214_400, 524_288]}
    assert data["hellos"] == report["gateway"]["reconnects"]
    assert report["gateway"]["uptime"] > 3_000


async def test_a_report_of_an_earlier_version_has_no_suspects(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report: Report = await run_stubs(hass, entry, check_stub(Status.PASS))
    del report["suspects"]

    await entry.runtime_data.reports.async_add(report)

    assert state_of(hass, SELF_TEST).attributes["suspects"] == []


async def test_an_unnamed_failure_is_named_by_its_check(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_stubs(
        hass, entry, check_stub(Status.FAIL, "own"), check_stub(Status.ERROR, "other")
    )

    assert report["suspects"] == [
        "This integration has a fault, which these checks found: own, other."
    ]


async def test_a_run_that_is_lost_to_the_network_blames_it(
    harness: FaultHarness,
) -> None:
    await lost_reply(harness)

    report = await run_self_test(harness.hass, checks=["run_outcomes"])

    [check] = report["checks"]
    assert (check["status"], check["origin"]) == ("warn", "network")
    assert report["liveness"] == "pass"


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_gateway_that_does_not_tell_its_uptime_is_not_judged(
    harness: FaultHarness, gateway: GatewaySimulator
) -> None:
    gateway.edit("hello-ok", lambda hello: hello["snapshot"].pop("uptimeMs", None))
    await harness.reconnect()
    await harness.reconnect()

    report = await run_self_test(harness.hass, mode="passive")

    assert [r["restarted"] for r in report["gateway"]["reconnects"]] == [None, None]
    assert report["suspects"] == []


async def test_a_run_under_way_is_not_lost(harness: FaultHarness) -> None:
    harness.gateway.script(Reply("Wait."), Pause())
    run = await harness.runtime.client.start_run(RunRequest("Hi", "agent:main:ha-y"))

    report = await run_self_test(harness.hass, checks=["run_outcomes"])

    assert report["checks"][0]["status"] == "pass"
    harness.gateway.proceed()
    await run.result()
