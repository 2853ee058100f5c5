"""Timeout probe."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import RequestTimeoutError
from custom_components.clawd.gateway.protocol import pending
from custom_components.clawd.gateway.protocol.pending import (
    PendingRequest,
    PendingRequests,
)
from custom_components.clawd.selftest import detectors
from custom_components.clawd.selftest.checks import requests
from tests.simulator import GatewaySimulator

from .self_test import problems, run_self_test, statuses

PROBE = ["timeout_probe"]


async def test_a_request_that_expires_but_stays_is_a_fault(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[PendingRequest, str]] = []
    real_open = PendingRequests.open

    def expire(request: PendingRequest) -> None:
        """End a request under a name by which it cannot be removed."""
        held.append((request, request.id))
        request.id = "lost"
        request.future.set_exception(RequestTimeoutError("injected"))

    def broken_open(
        self: PendingRequests,
        method: str,
        timeout: float,
        on_accepted: Callable[[Any], float] | None = None,
    ) -> PendingRequest:
        request = real_open(self, method, 60, on_accepted)
        if method == "agent.wait":
            hass.loop.call_later(timeout, expire, request)
        return request

    monkeypatch.setattr(PendingRequests, "open", broken_open)

    report = await run_self_test(hass, config_entry=entry.entry_id)

    for request, request_id in held:
        request.id = request_id
    # A request that is held after its end is what the balance counts, too.
    assert problems(report) == {"timeout_probe": "fail", "pending_balance": "fail"}
    [probe] = [c for c in report["checks"] if c["id"] == "timeout_probe"]
    assert probe["details"] == ["not removed"]


async def test_a_late_response_that_is_forgotten_is_a_fault(
    hass: HomeAssistant, new_entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MAX_REMEMBERED_IDS", 0)
    monkeypatch.setattr(requests, "LATE_RESPONSE_TIMEOUT", 0.2)
    assert await hass.config_entries.async_setup(new_entry.entry_id)

    report = await run_self_test(hass, config_entry=new_entry.entry_id)

    # A response to a request that is not remembered is an unknown one, too.
    assert problems(report) == {"timeout_probe": "fail", "orphan_responses": "fail"}


@pytest.mark.usefixtures("entry")
async def test_a_request_that_outlives_its_timeout_is_a_fault(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = PendingRequests.open
    monkeypatch.setattr(
        PendingRequests,
        "open",
        lambda self, method, timeout, on_accepted=None: real_open(
            self, method, timeout + 60, on_accepted
        ),
    )

    report = await run_self_test(hass, checks=PROBE)

    assert problems(report) == {"timeout_probe": "fail"}
    assert report["checks"][0]["details"] == ["not timed out"]


@pytest.mark.usefixtures("entry")
async def test_an_answer_at_once_proves_nothing(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "PROBE_HOLD_TIME", 0.0)
    monkeypatch.setattr(requests, "PROBE_TIMEOUT", 1.0)

    report = await run_self_test(hass, checks=PROBE)

    assert statuses(report) == {"timeout_probe": "skip"}
    assert "immediately" in report["checks"][0]["message"]


@pytest.mark.usefixtures("entry")
async def test_no_late_answer_proves_nothing(
    hass: HomeAssistant, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "LATE_RESPONSE_TIMEOUT", 0.05)
    gateway.hold("agent.wait")

    report = await run_self_test(hass, checks=PROBE)

    assert statuses(report) == {"timeout_probe": "skip"}
    assert "not even late" in report["checks"][0]["message"]


@pytest.mark.usefixtures("entry")
async def test_a_drop_in_the_middle_proves_nothing(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    def drop(_: dict[str, Any]) -> None:
        gateway.drop()

    gateway.edit("agent.wait", drop)

    report = await run_self_test(hass, checks=PROBE)

    assert statuses(report) == {"timeout_probe": "skip"}
    assert "not connected" in report["checks"][0]["message"]


async def test_the_balance_is_not_drawn_during_a_handshake(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.hold("connect")
    gateway.drop()
    await gateway.wait_for_request("connect", 2)

    report = await run_self_test(hass, config_entry=entry.entry_id)

    gateway.release("connect")
    await entry.runtime_data.client.wait_connected()
    assert not problems(report)
    assert statuses(report)["pending_balance"] == "skip"
    assert report["readiness"] == "fail"


async def test_a_request_under_way_is_balanced(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.hold("health")
    client = entry.runtime_data.client
    request = asyncio.create_task(client.request("health"))
    await gateway.wait_for_request("health")

    report = await run_self_test(hass, checks=["pending_balance"])

    gateway.release("health")
    await request
    assert statuses(report) == {"pending_balance": "pass"}


async def test_the_timers_of_another_kind_of_loop_are_not_judged(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detectors, "scheduled_timers", lambda _: None)

    report = await run_self_test(
        hass, config_entry=entry.entry_id, checks=["timer_registry"]
    )

    assert statuses(report) == {"timer_registry": "skip"}
