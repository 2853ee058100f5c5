"""Faults of requests and their responses."""

import json

from custom_components.clawd.gateway.protocol.pending import PendingRequests
from custom_components.clawd.selftest.checks import requests

from ..fault_harness import Fault, FaultHarness
from ..report_assertions import MEASURED, Expected, between

UNKNOWN_RESPONSE = json.dumps(
    {"type": "res", "id": "unknown", "ok": True, "payload": {}}
)


async def slow_gateway(harness: FaultHarness) -> None:
    """Leave `health` without an answer."""
    harness.monkeypatch.setattr(requests, "ROUND_TRIP_FAIL", 0.02)
    harness.gateway.hold("health")


async def request_without_timeout(harness: FaultHarness) -> None:
    """Let no request time out."""
    harness.monkeypatch.setattr(PendingRequests, "_expire", lambda *_: None)


async def kept_request(harness: FaultHarness) -> None:
    """Keep a request after its response."""
    client = harness.runtime.client
    with harness.monkeypatch.context() as patch:
        patch.setattr(PendingRequests, "_remove", lambda *_: None)
        await client.request("health")
    for request in client.introspection.pending:
        harness.cleanup.callback(request.timer.cancel)


async def miscounted_request(harness: FaultHarness) -> None:
    """Count a request as completed that is still open."""
    harness.runtime.client.statistics.requests_completed += 1


async def overdue_request(harness: FaultHarness) -> None:
    """Keep a request past its deadline."""
    harness.monkeypatch.setattr(requests, "OVERDUE_TOLERANCE", -1_000)
    harness.send_unanswered("agents.list")
    await harness.gateway.wait_for_request("agents.list")


async def unknown_response(harness: FaultHarness) -> None:
    """Answer a request that was never sent."""
    harness.gateway.send_raw(UNKNOWN_RESPONSE)
    await harness.runtime.client.request("health")


_COUNTED = {"issued": "#", "completed": "#"}

FAULTS = [
    Fault(slow_gateway, "round_trip", Expected(20.0, {"median": 20, "longest": 20})),
    Fault(
        request_without_timeout,
        "timeout_probe",
        Expected(MEASURED, {"deadline": 20}, ("not timed out",)),
    ),
    Fault(
        kept_request,
        "pending_balance",
        Expected(1, {"held": 1, **_COUNTED}, ("health #",)),
    ),
    Fault(miscounted_request, "pending_balance", Expected(1, {"held": 0, **_COUNTED})),
    Fault(
        overdue_request,
        "pending_age",
        Expected(between(-30, 0), {"count": 1, "held": 1}, ("agents.list",)),
    ),
    Fault(
        unknown_response,
        "orphan_responses",
        Expected(1, {"unknown": 1, "late": 1, "repeated": 0}),
    ),
]
