"""Faults of the connection and of what waits on it, planted in a live system."""

import asyncio
from dataclasses import replace
import json
from typing import Any

from custom_components.clawd.gateway import (
    AddressClass,
    GatewayClient,
    client as client_module,
    endpoint as endpoints,
)
from custom_components.clawd.gateway.agent_run import AgentRun
from custom_components.clawd.gateway.backoff import Backoff
from custom_components.clawd.gateway.connection import Connection
from custom_components.clawd.selftest import checks_runs
from tests.simulator import Pause, Refusal, Reply

from .live import Fault, Live, held_back, until

SESSION = "agent:main:ha-fault"


async def overdue_request(live: Live) -> None:
    """Let a request outlive its deadline: the answer is lost, nobody gives it up."""
    live.monkeypatch.setattr(checks_runs, "OVERDUE_TOLERANCE", -1_000)
    held_back(live, "agents.list")
    await live.gateway.wait_for_request("agents.list")


async def foreign_run(live: Live) -> None:
    """Hold a run that was not started here."""
    live.runtime.client.statistics.runs_ended += 1


async def swollen_queue(live: Live) -> None:
    """Keep everything several times for a reader that does not come."""
    original: Any = vars(AgentRun)["_tell"]

    def tell_often(run: AgentRun, text: str) -> None:
        for _ in range(5):
            original(run, text)

    live.monkeypatch.setattr(AgentRun, "_tell", tell_often)
    live.gateway.script(Reply("It is on."), Pause())
    await live.runtime.client.start_run("Hi", session_key=SESSION)
    await live.gateway.wait_paused()
    await live.runtime.client.request("health")


async def storm(live: Live) -> None:
    """Connect again at once, whenever the connection is lost."""
    live.monkeypatch.setattr(Backoff, "delay", lambda *_: 0.0)
    for _ in range(12):
        await live.reconnected()


async def fixed_delay(live: Live) -> None:
    """Wait equally long each time."""
    live.monkeypatch.setattr(Backoff, "delay", lambda *_: 0.01)
    for _ in range(5):
        await live.reconnected()


async def long_delay(live: Live) -> None:
    """Wait longer than anybody asked for."""
    real: Any = Backoff.delay
    with live.monkeypatch.context() as patch:
        patch.setattr(Backoff, "delay", lambda *args: real(*args) + 45.0)
        await live.reconnect()
        live.runtime.client.resume()
        await live.runtime.client.wait_connected()


async def restless_pause(live: Live) -> None:
    """Ask again and again to be let in."""
    live.monkeypatch.setattr(client_module, "least_delay", lambda _: 0.0)
    live.gateway.refuse(Refusal.PAIRING, times=2)
    live.gateway.devices.approved.clear()
    await live.reconnect()
    await live.gateway.wait_until(lambda: live.gateway.attempts > 2)
    await until(lambda: live.runtime.client.hello is not None)


def shifted_clock(seconds: int) -> Fault:
    """Return the fault of a clock that is ahead."""

    async def plant(live: Live) -> None:
        live.gateway.clock_shift_ms = seconds * 1000
        await live.reconnected()

    plant.__doc__ = f"Set the Gateway's clock {seconds} s ahead."
    plant.__name__ = f"clock_ahead_by_{seconds}_s"
    status = "fail" if seconds > 120 else "warn"
    return Fault(plant, "clock_skew", status, differs=True)


async def skipped_events(live: Live) -> None:
    """Leave out some numbers of events."""
    event = {"type": "event", "event": "agent", "payload": {"runId": "x"}}
    for seq in (1_000, 1_010):
        live.gateway.send_raw(json.dumps(event | {"seq": seq}))
    await live.runtime.client.request("health")


async def mute_server(live: Live) -> None:
    """Let nobody notice that the Gateway says nothing any more."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    live.monkeypatch.setattr(Connection, "_watch_silence", never)
    live.gateway.policy["tickIntervalMs"] = 1
    await live.reconnected()
    live.gateway.mute()
    await until(lambda: (live.runtime.client.silence or 0) > 0.01)


async def small_receive_limit(live: Live) -> None:
    """Leave the limit as it was before the hello."""
    live.monkeypatch.setattr(Connection, "_set_limits", lambda *_: None)
    live.gateway.edit("hello-ok", lambda h: h["policy"].update(maxPayload=30_000_000))
    await live.reconnected()


async def missing_method(live: Live) -> None:
    """Offer one method less."""
    live.gateway.edit(
        "hello-ok", lambda hello: hello["features"]["methods"].remove("chat.history")
    )
    await live.reconnected()


async def missing_scope(live: Live) -> None:
    """Grant reading only."""
    live.gateway.edit(
        "hello-ok", lambda hello: hello["auth"].update(scopes=["operator.read"])
    )
    await live.reconnected()


async def public_peer(live: Live) -> None:
    """Be connected to a public address without TLS."""
    live.monkeypatch.setattr(endpoints, "address_class", lambda _: AddressClass.PUBLIC)


async def another_certificate(live: Live) -> None:
    """Be connected to a peer that does not have the pinned certificate."""
    endpoint = replace(live.runtime.client.endpoint, fingerprint="0" * 64)
    live.monkeypatch.setattr(GatewayClient, "endpoint", endpoint)


async def insecure_with_consent(live: Live) -> None:
    """Be connected to a public address without TLS, which was allowed."""
    await public_peer(live)
    endpoint = replace(live.runtime.client.endpoint, allow_insecure=True)
    live.monkeypatch.setattr(GatewayClient, "endpoint", endpoint)


FAULTS: list[Fault] = [
    Fault(overdue_request, "pending_age"),
    Fault(foreign_run, "unknown_runs"),
    Fault(swollen_queue, "stream_queues", differs=True),
    Fault(storm, "backoff_schedule"),
    Fault(fixed_delay, "backoff_schedule"),
    Fault(long_delay, "backoff_schedule"),
    Fault(restless_pause, "backoff_pause", differs=True),
    shifted_clock(130),
    shifted_clock(60),
    Fault(skipped_events, "sequence_gaps", "warn", protocols=(4,)),
    Fault(mute_server, "tick_age", mode="passive"),
    Fault(small_receive_limit, "receive_limit"),
    Fault(missing_method, "features"),
    Fault(missing_scope, "scopes", differs=True),
    Fault(public_peer, "transport_trust"),
    Fault(another_certificate, "transport_trust"),
    Fault(insecure_with_consent, "transport_trust", "warn"),
]
