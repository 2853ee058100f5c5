"""Faults of the passive and the active checks, planted in a live system."""

import asyncio
import json
from typing import Any

import pytest

from custom_components.clawd import redaction
from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.agent_runs import AgentRuns
from custom_components.clawd.gateway.pending import PendingRequests
from custom_components.clawd.selftest import checks_gateway, detectors

from .live import Fault, Live, Plant

ALIEN = json.dumps({"type": "res", "id": "alien", "ok": True, "payload": {}})


async def held_request(live: Live) -> None:
    """Hold a request after its response."""
    with live.monkeypatch.context() as patch:
        patch.setattr(PendingRequests, "_remove", lambda *_: None)
        await live.runtime.client.request("health")
    for request in live.runtime.client.pending:
        live.afterwards.callback(request.timer.cancel)


async def forgotten_request(live: Live) -> None:
    """End a request in the books that is still under way."""
    live.runtime.client.statistics.requests_settled += 1


async def alien_response(live: Live) -> None:
    """Answer a request that nobody sent."""
    live.gateway.send_raw(ALIEN)
    await live.runtime.client.request("health")


async def endless_request(live: Live) -> None:
    """Let no request expire."""
    live.monkeypatch.setattr(PendingRequests, "_expire", lambda *_: None)


async def stray_task(live: Live) -> None:
    """Start a task of our code beside the registry."""
    other = GatewayClient(
        Endpoint("127.0.0.1", 9),
        Credentials(DeviceIdentity.generate(), ClientInfo("0")),
    )
    task = asyncio.create_task(other.wait_connected())
    live.afterwards.callback(task.cancel)


async def same_listener_twice(live: Live) -> None:
    """Listen twice with listeners that become equal, and call that the baseline."""
    first, second = Twin(), Twin()
    for twin in (first, second):
        live.afterwards.callback(live.runtime.client.subscribe("tick", twin))
    first.equal = second.equal = True
    live.runtime.listener_baseline = {**live.runtime.listener_baseline, "tick": 2}


async def additional_listener(live: Live) -> None:
    """Listen to one more event than after the set-up."""
    unsubscribe = live.runtime.client.subscribe("tick", lambda _: None)
    live.afterwards.callback(unsubscribe)


async def missing_listener(live: Live) -> None:
    """Listen to one event less than after the set-up."""
    live.runtime.listener_baseline = {**live.runtime.listener_baseline, "tick": 1}


async def run_that_stays(live: Live) -> None:
    """Hold a run after its end."""
    live.monkeypatch.setattr(AgentRuns, "close", lambda *_: None)
    run = await live.runtime.client.start_run("Hi", session_key="agent:main:ha-stay")
    await run.result()


async def endless_run(live: Live) -> None:
    """Hold a run for longer than one can last."""
    live.monkeypatch.setattr(checks_gateway, "RUN_LIMIT", -1)
    live.gateway.hold("agent")

    async def ask() -> None:
        await live.runtime.client.start_run("Hi", session_key="agent:main:ha-endless")

    task = asyncio.create_task(ask())
    live.afterwards.callback(task.cancel)
    await live.gateway.wait_for_request("agent")


async def mute_health(live: Live) -> None:
    """Leave `health` without an answer."""
    live.monkeypatch.setattr(checks_gateway, "ROUND_TRIP_FAIL", 0.02)
    live.gateway.hold("health")


async def protocol_99(live: Live) -> None:
    """Choose a protocol that was not offered."""
    live.gateway.edit("hello-ok", lambda hello: hello.update(protocol=99))
    await live.reconnect()
    with pytest.raises(UnsupportedProtocolError):
        await live.runtime.client.wait_connected()


async def leaking_version(live: Live) -> None:
    """Repeat the token where a version belongs."""
    token = live.gateway.token
    live.gateway.edit("hello-ok", lambda hello: hello["server"].update(version=token))
    await live.reconnected()


def blind(module: Any, name: str, nothing: object) -> Plant:  # noqa: ANN401 - any module
    """Let a detector see nothing."""

    async def plant(live: Live) -> None:
        live.monkeypatch.setattr(module, name, lambda *_, **__: nothing)

    plant.__name__ = f"blind_{name}"
    plant.__doc__ = f"Let the detector `{name}` see nothing."
    return plant


class Twin:
    """A listener that can become equal to another."""

    equal = False

    def __call__(self, _: object) -> None:
        """Do nothing."""

    def __eq__(self, other: object) -> bool:
        """Return whether both have become equal."""
        return self is other or (isinstance(other, Twin) and self.equal and other.equal)

    __hash__ = object.__hash__


FAULTS: list[Fault] = [
    Fault(held_request, "pending_balance"),
    Fault(forgotten_request, "pending_balance"),
    Fault(alien_response, "orphan_responses"),
    Fault(endless_request, "timeout_probe"),
    Fault(stray_task, "task_inventory"),
    Fault(same_listener_twice, "handler_duplicates"),
    Fault(additional_listener, "handler_baseline"),
    Fault(missing_listener, "handler_baseline"),
    Fault(run_that_stays, "runs_map", differs=True),
    Fault(endless_run, "runs_map", differs=True),
    Fault(mute_health, "round_trip"),
    Fault(protocol_99, "protocol"),
    Fault(leaking_version, "redaction"),
    Fault(blind(detectors, "ended_requests", []), "self_canary"),
    Fault(blind(detectors, "imbalance", 0), "self_canary"),
    Fault(blind(detectors, "overdue_runs", []), "self_canary"),
    Fault(blind(detectors, "overdue_requests", []), "self_canary"),
    Fault(blind(detectors, "swollen_runs", []), "self_canary"),
    Fault(blind(detectors, "most_in_a_minute", 0), "self_canary"),
    Fault(blind(detectors, "repeated", nothing=False), "self_canary"),
    Fault(blind(detectors, "stray_timers", []), "self_canary"),
    Fault(blind(detectors, "stray_tasks", []), "self_canary"),
    Fault(blind(detectors, "duplicates", []), "self_canary"),
    Fault(blind(detectors, "changed_counts", []), "self_canary"),
    Fault(blind(detectors, "grown", []), "self_canary"),
    Fault(blind(redaction, "leaks", nothing=False), "self_canary"),
]
