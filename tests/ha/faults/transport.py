"""Faults of the connection."""

import asyncio
from dataclasses import replace
import json
from typing import Any

import pytest

from custom_components.clawd.gateway import (
    AddressClass,
    GatewayClient,
    UnsupportedProtocolError,
    endpoint as endpoint_module,
    reconnect,
)
from custom_components.clawd.gateway.backoff import Backoff
from custom_components.clawd.gateway.protocol.connection import Connection
from tests.simulator import Refusal

from ..fault_harness import Fault, FaultHarness, poll
from ..report_assertions import Expected, between


async def connection_storm(harness: FaultHarness) -> None:
    """Reconnect at once whenever the connection is lost."""
    harness.monkeypatch.setattr(Backoff, "delay", lambda *_: 0.0)
    for _ in range(12):
        await harness.reconnect()


async def constant_delay(harness: FaultHarness) -> None:
    """Wait equally long before each attempt."""
    harness.monkeypatch.setattr(Backoff, "delay", lambda *_: 0.01)
    for _ in range(5):
        await harness.reconnect()


async def long_delay(harness: FaultHarness) -> None:
    """Wait longer than allowed before an attempt."""
    real: Any = Backoff.delay
    with harness.monkeypatch.context() as patch:
        patch.setattr(Backoff, "delay", lambda *args: real(*args) + 45.0)
        await harness.drop_connection()
        harness.runtime.client.resume()
        await harness.runtime.client.wait_connected()


async def retries_in_a_pause(harness: FaultHarness) -> None:
    """Retry at once although the device is not approved."""
    client, gateway = harness.runtime.client, harness.gateway
    harness.monkeypatch.setattr(reconnect, "minimum_delay", lambda _: 0.0)
    gateway.refuse(Refusal.PAIRING, times=2)
    gateway.devices.approved.clear()
    await harness.drop_connection()
    await gateway.wait_until(lambda: gateway.attempts > 2)
    await poll(lambda: client.hello is not None)


async def clock_ahead_by_130_s(harness: FaultHarness) -> None:
    """Set the Gateway's clock 130 s ahead."""
    harness.gateway.clock_shift_ms = 130_000
    await harness.reconnect()


async def clock_ahead_by_60_s(harness: FaultHarness) -> None:
    """Set the Gateway's clock 60 s ahead."""
    harness.gateway.clock_shift_ms = 60_000
    await harness.reconnect()


async def skipped_events(harness: FaultHarness) -> None:
    """Skip some numbers of events."""
    event = {"type": "event", "event": "agent", "payload": {"runId": "x"}}
    for seq in (1_000, 1_010):
        harness.gateway.send_raw(json.dumps(event | {"seq": seq}))
    await harness.runtime.client.request("health")


async def undecodable_frame(harness: FaultHarness) -> None:
    """Send a frame that is not JSON."""
    harness.gateway.send_raw('{"type":"event","event":"agent","payload":')
    await harness.runtime.client.request("health")


async def unannounced_methods(harness: FaultHarness) -> None:
    """Announce no methods."""
    harness.gateway.edit("hello-ok", lambda hello: hello["features"].clear())
    await harness.reconnect()


async def unnoticed_silence(harness: FaultHarness) -> None:
    """Ignore that the Gateway sends nothing any more."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    harness.monkeypatch.setattr(Connection, "_watch_idle", never)
    harness.gateway.policy["tickIntervalMs"] = 1
    await harness.reconnect()
    # Longer than two of the shortest intervals that are accepted.
    harness.monkeypatch.setattr(Connection, "seconds_since_last_frame", 11.0)


async def small_receive_limit(harness: FaultHarness) -> None:
    """Keep the limit from before the hello."""
    harness.monkeypatch.setattr(Connection, "_set_limits", lambda *_: None)
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["policy"].update(maxPayload=30_000_000)
    )
    await harness.reconnect()


async def protocol_99(harness: FaultHarness) -> None:
    """Choose a protocol that was not offered."""
    harness.gateway.edit("hello-ok", lambda hello: hello.update(protocol=99))
    await harness.drop_connection()
    with pytest.raises(UnsupportedProtocolError):
        await harness.runtime.client.wait_connected()


async def missing_method(harness: FaultHarness) -> None:
    """Offer one method less."""
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["features"]["methods"].remove("chat.history")
    )
    await harness.reconnect()


async def missing_scope(harness: FaultHarness) -> None:
    """Grant only to read."""
    harness.gateway.edit(
        "hello-ok", lambda hello: hello["auth"].update(scopes=["operator.read"])
    )
    await harness.reconnect()


async def public_peer(harness: FaultHarness) -> None:
    """Connect to a public address without TLS."""
    harness.monkeypatch.setattr(
        endpoint_module, "address_class", lambda _: AddressClass.PUBLIC
    )


async def wrong_certificate(harness: FaultHarness) -> None:
    """Connect to a peer without the pinned certificate."""
    endpoint = replace(harness.runtime.client.endpoint, fingerprint="0" * 64)
    harness.monkeypatch.setattr(GatewayClient, "endpoint", endpoint)


async def allowed_public_peer(harness: FaultHarness) -> None:
    """Connect to a public address without TLS, which was allowed."""
    await public_peer(harness)
    endpoint = replace(harness.runtime.client.endpoint, allow_insecure=True)
    harness.monkeypatch.setattr(GatewayClient, "endpoint", endpoint)


_TRUST = Expected("ws, loopback", {"transport": "ws", "address": "loopback"})

FAULTS = [
    Fault(
        connection_storm,
        "backoff_schedule",
        Expected(
            [0.0] * 12,
            {"count": 12, "attempts": 12},
            ("12 attempts in a minute", "the same delay again and again"),
        ),
    ),
    Fault(
        constant_delay,
        "backoff_schedule",
        Expected(
            [0.01] * 5,
            {"count": 5, "attempts": 6},
            ("the same delay again and again",),
        ),
    ),
    Fault(
        long_delay,
        "backoff_schedule",
        Expected(None, {"count": 1, "attempts": 1}, ("a delay of # s",)),
    ),
    Fault(
        retries_in_a_pause,
        "backoff_pause",
        Expected(2, {"count": 2}, ("approval: # s", "approval: # s")),
        differs=True,
    ),
    Fault(
        clock_ahead_by_130_s,
        "clock_skew",
        Expected(between(-132, -128), {"seconds": "-1#"}),
        differs=True,
    ),
    Fault(
        clock_ahead_by_60_s,
        "clock_skew",
        Expected(between(-62, -58), {"seconds": "-#"}),
        status="warn",
        differs=True,
    ),
    Fault(
        skipped_events,
        "sequence_gaps",
        Expected(1, {"count": 1}),
        status="warn",
        protocols=(4,),
    ),
    Fault(
        undecodable_frame,
        "frames_decoded",
        Expected(1, {"count": 1}),
    ),
    Fault(unannounced_methods, "features", Expected(0, {"count": "#"}), status="warn"),
    Fault(
        unnoticed_silence,
        "tick_age",
        Expected(11.0, {"seconds": 11.0, "limit": 10}),
        mode="passive",
    ),
    Fault(
        small_receive_limit,
        "receive_limit",
        Expected(8_388_608, {"limit": 8_388_608, "least": 30_000_000}),
    ),
    Fault(protocol_99, "protocol", Expected(99, {"version": 99})),
    Fault(missing_method, "features", Expected(1, {"names": "chat.history"})),
    Fault(
        missing_scope, "scopes", Expected(1, {"names": "operator.write"}), differs=True
    ),
    Fault(public_peer, "transport_trust", _TRUST),
    Fault(wrong_certificate, "transport_trust", _TRUST),
    Fault(allowed_public_peer, "transport_trust", _TRUST, status="warn"),
]
