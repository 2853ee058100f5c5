"""Each fault is seen by the check that is made for it, and by no other."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import redaction
from custom_components.clawd.coordinator import ClawdRuntime
from custom_components.clawd.gateway import (
    ClientInfo,
    Credentials,
    DeviceIdentity,
    Endpoint,
    GatewayClient,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.agent_run import AgentRuns
from custom_components.clawd.gateway.pending import PendingRequests
from custom_components.clawd.selftest import checks_gateway, detectors
from tests.simulator import GatewaySimulator

from .self_test import bad, run_self_test
from .states import CONNECTIVITY, wait_for_state

ALIEN = json.dumps({"type": "res", "id": "alien", "ok": True, "payload": {}})


@dataclass
class Live:
    """The live system, and what undoes the fault."""

    hass: HomeAssistant
    gateway: GatewaySimulator
    runtime: ClawdRuntime
    monkeypatch: pytest.MonkeyPatch
    afterwards: AsyncExitStack

    async def reconnect(self) -> None:
        """Drop the connection and wait for what comes of it."""
        self.gateway.drop()
        await wait_for_state(self.hass, CONNECTIVITY, "off")


@pytest.fixture
async def live(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[Live]:
    """Return the live system, healthy as far as anybody knows."""
    monkeypatch.setattr(checks_gateway, "PROBE_DEADLINE", 0.02)
    monkeypatch.setattr(checks_gateway, "PROBE_HOLD", 0.1)
    async with AsyncExitStack() as afterwards:
        yield Live(hass, gateway, entry.runtime_data, monkeypatch, afterwards)


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
    await live.reconnect()
    await live.runtime.client.wait_connected()


def blind(module: Any, name: str, nothing: object) -> Callable[[Live], Awaitable[None]]:  # noqa: ANN401 - any module
    """Let a detector see nothing."""

    async def plant(live: Live) -> None:
        live.monkeypatch.setattr(module, name, lambda *_, **__: nothing)

    plant.__name__ = f"blind_{name}"
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


FAULTS: list[tuple[Callable[[Live], Awaitable[None]], str]] = [
    (held_request, "pending_balance"),
    (forgotten_request, "pending_balance"),
    (alien_response, "orphan_responses"),
    (endless_request, "timeout_probe"),
    (stray_task, "task_inventory"),
    (same_listener_twice, "handler_duplicates"),
    (additional_listener, "handler_baseline"),
    (missing_listener, "handler_baseline"),
    (run_that_stays, "runs_map"),
    (endless_run, "runs_map"),
    (mute_health, "round_trip"),
    (protocol_99, "protocol"),
    (leaking_version, "redaction"),
    (blind(detectors, "ended_requests", []), "self_canary"),
    (blind(detectors, "imbalance", 0), "self_canary"),
    (blind(detectors, "overdue_runs", []), "self_canary"),
    (blind(detectors, "stray_tasks", []), "self_canary"),
    (blind(detectors, "duplicates", []), "self_canary"),
    (blind(detectors, "changed_counts", []), "self_canary"),
    (blind(redaction, "leaks", nothing=False), "self_canary"),
]


@pytest.mark.parametrize(
    ("plant", "check"), [pytest.param(*row, id=row[0].__name__) for row in FAULTS]
)
@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_fault_fails_its_check_and_no_other(
    live: Live, plant: Callable[[Live], Awaitable[None]], check: str
) -> None:
    await plant(live)

    report = await run_self_test(live.hass)

    assert bad(report) == {check: "fail"}
    assert report["status"] == "fail"
    [failed] = [c for c in report["checks"] if c["status"] == "fail"]
    assert failed["hint"]
    assert live.gateway.token not in json.dumps(report)
    live.monkeypatch.undo()


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
