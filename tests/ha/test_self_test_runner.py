"""Runner of the self-test."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
import json
from urllib.parse import quote

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.clawd.gateway import (
    ConnectionLostError,
    GatewayError,
    NotConnectedError,
    RequestFailedError,
)
from custom_components.clawd.reports import Status
from custom_components.clawd.selftest.model import CheckContext, CheckResult
from custom_components.clawd.selftest.registry import CHECKS
from tests.simulator import GatewaySimulator

from .check_stubs import check_of, run_stubs
from .self_test import problems, run_self_test, running_self_test, statuses

PASSED = CheckResult(status=Status.PASS)


async def test_a_report_has_the_agreed_form(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    report = await run_self_test(hass, config_entry=entry.entry_id)

    assert set(report) == {
        "status",
        "liveness",
        "readiness",
        "version",
        "started_at",
        "duration_ms",
        "entry",
        "mode",
        "suspects",
        "gateway",
        "questions",
        "summary",
        "checks",
    }
    assert set(report["summary"]) == {"pass", "warn", "fail", "skip", "error"}
    for check in report["checks"]:
        assert set(check) == {
            "id",
            "status",
            "component",
            "origin",
            "observed_value",
            "observed_unit",
            "expected",
            "message",
            "duration_ms",
            "hint",
        }


async def test_the_action_answers_over_http(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "api", {})
    browser = await hass_client()

    response = await browser.post(
        "/api/services/clawd/self_test?return_response",
        json={"config_entry": entry.entry_id, "mode": "passive"},
    )

    assert response.status == HTTPStatus.OK
    [report] = (await response.json())["service_response"]["reports"]
    assert report == entry.runtime_data.reports.data


async def test_the_action_works_without_a_response(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    fields = {"mode": "passive"}
    await hass.services.async_call("clawd", "self_test", fields, blocking=True)

    assert entry.runtime_data.reports.data["status"] == "pass"


async def test_checks_run_in_their_order(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    before: list[list[str]] = []

    async def run(context: CheckContext) -> CheckResult:
        before.append([outcome.check.id for outcome in context.outcomes])
        return PASSED

    report = await run_stubs(hass, entry, *(check_of(run, name) for name in "bca"))

    assert list(statuses(report)) == ["b", "c", "a"]
    assert before == [[], ["b"], ["b", "c"]]


async def test_a_check_that_hangs_ends_at_its_timeout(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    async def hang(_: CheckContext) -> CheckResult:
        await asyncio.Event().wait()
        return PASSED

    report = await run_stubs(hass, entry, check_of(hang, timeout=0.01))

    assert problems(report) == {"stub": "error"}
    assert "0.01" in report["checks"][0]["message"]


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (NotConnectedError("injected"), "skip", "not connected"),
        (ConnectionLostError("injected"), "skip", "not connected"),
        (RequestFailedError("injected", code="FORBIDDEN"), "fail", "FORBIDDEN"),
    ],
)
async def test_an_error_of_the_gateway_is_none_of_the_check(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    error: GatewayError,
    status: str,
    word: str,
) -> None:
    async def run(_: CheckContext) -> CheckResult:
        raise error

    [check] = (await run_stubs(hass, entry, check_of(run)))["checks"]

    assert check["status"] == status
    assert word in check["message"]
    assert check["hint"]


@pytest.mark.usefixtures("entry")
async def test_a_check_of_another_mode_is_skipped_if_it_is_chosen(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    report = await run_self_test(hass, mode="passive", checks=["round_trip"])

    assert statuses(report) == {"round_trip": "skip"}
    assert "mode" in report["checks"][0]["message"]
    assert gateway.received("health") == []


async def test_only_what_both_scans_see_is_a_suspect(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    scans = iter((["passing", "staying"], ["staying", "new"]))
    seen: list[str] = []

    async def run(context: CheckContext) -> CheckResult:
        seen.extend(await context.recheck(lambda: next(scans)))
        return PASSED

    await run_stubs(hass, entry, check_of(run))

    assert seen == ["staying"]


async def test_no_second_scan_follows_an_empty_one(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    scans: list[list[str]] = [[]]

    async def run(context: CheckContext) -> CheckResult:
        assert await context.recheck(scans.pop) == []
        return PASSED

    assert not problems(await run_stubs(hass, entry, check_of(run)))


@pytest.mark.parametrize(
    "form",
    [
        str,
        lambda token: token[:12],
        lambda token: quote(token, safe=""),
        lambda token: b64encode(token.encode()).decode(),
        lambda token: json.dumps(token)[1:-1],
    ],
    ids=["raw", "beginning", "quoted", "base64", "escaped"],
)
@pytest.mark.parametrize("place", ["observed", "placeholders", "details"])
async def test_no_form_of_a_secret_stays_in_a_report(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    form: Callable[[str], str],
    place: str,
) -> None:
    token = 'tok"en/with+everything ü'
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    leak = f"before {form(token)} after"
    harmless = CheckResult(status=Status.PASS, placeholders={"version": 4})
    leaking = {
        "observed": replace(harmless, observed=[leak]),
        "placeholders": replace(harmless, placeholders={"version": leak}),
        "details": replace(harmless, details=(leak,)),
    }

    async def run(_: CheckContext) -> CheckResult:
        return leaking[place]

    report = await run_stubs(hass, entry, check_of(run, "protocol"))

    assert form(token) not in json.dumps(report, ensure_ascii=False)
    assert "**REDACTED**" in json.dumps(report)
    assert report["checks"][0]["status"] == "pass"


async def test_a_cancelled_self_test_makes_room_for_the_next(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    async with running_self_test(hass, gateway, config_entry=entry.entry_id) as task:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert (await run_self_test(hass))["status"] == "pass"


async def test_an_entry_that_is_unloaded_meanwhile_is_not_to_blame(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    started, unloaded = asyncio.Event(), asyncio.Event()

    async def run(_: CheckContext) -> CheckResult:
        started.set()
        await unloaded.wait()
        return CheckResult(status=Status.SKIP, reason="not_connected")

    task = asyncio.create_task(
        run_stubs(hass, entry, check_of(run, "protocol"), *CHECKS)
    )
    await started.wait()
    assert await hass.config_entries.async_unload(entry.entry_id)
    unloaded.set()

    report = await task
    assert not problems(report)
    assert report["readiness"] == "fail"
    assert report["liveness"] == "pass"
