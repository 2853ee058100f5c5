"""Scenario for mutation testing.

`scripts/mutate` runs it without one of the cleanups. The last line it prints is the
outcome.
"""

import asyncio
from collections.abc import Coroutine
import json
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import GatewayClient, RunRequest
from tests.simulator import GatewaySimulator, Pause, Reply, Tool

from .fault_harness import FaultHarness
from .self_test import problems, run_self_test
from .states import AGENT, CONNECTIVITY, wait_for_state

SESSION = "agent:main:ha-mutant"
TIMEOUT = 3.0


async def _converse(hass: HomeAssistant, gateway: GatewaySimulator) -> None:
    gateway.script_once(Reply("It is"), Tool("look"), Reply("It is on."))
    data = {"text": "Is it on?", "agent_id": AGENT}
    await hass.services.async_call(
        "conversation", "process", data, blocking=True, return_response=True
    )


async def _ask[T](
    gateway: GatewaySimulator, method: str, asking: Coroutine[Any, Any, T]
) -> asyncio.Task[T]:
    """Send a request that the Gateway holds."""
    count = len(gateway.received(method)) + 1
    gateway.hold(method)
    task = asyncio.create_task(asking)
    await gateway.wait_for_request(method, count)
    return task


async def _cancel_requests(client: GatewayClient, gateway: GatewaySimulator) -> None:
    """Stop a run, and cancel requests that are held."""
    gateway.script_once(Reply("Wait."), Pause())
    run = await client.start_run(RunRequest("Hi", SESSION))
    await gateway.wait_paused()
    await run.abort()
    for method, asking in (
        ("agent", client.start_run(RunRequest("Hi", SESSION))),
        ("agents.list", client.request("agents.list")),
        ("models.list", client.request("models.list", timeout=0.01)),
    ):
        task = await _ask(gateway, method, asking)
        if method != "models.list":
            task.cancel()
        await asyncio.wait([task], timeout=TIMEOUT)
        await asyncio.gather(task, return_exceptions=True)
        gateway.release(method)
    await gateway.wait_until(lambda: not gateway.runs.active())


async def _survive_a_drop(client: GatewayClient, gateway: GatewaySimulator) -> None:
    gateway.script_once(Reply("One."), Pause(), Tool("look"), Reply("Two."))
    run = await client.start_run(RunRequest("Hi", f"{SESSION}-drop"))
    await gateway.wait_paused()
    asked = await _ask(gateway, "agents.list", client.request("agents.list"))
    gateway.drop()
    await gateway.wait_for_request("chat.history")
    gateway.release("agents.list")
    gateway.proceed()
    await run.result()
    await asyncio.gather(asked, return_exceptions=True)


async def _abort_while_away(client: GatewayClient, gateway: GatewaySimulator) -> None:
    """Stop a run while the Gateway is away."""
    gateway.script_once(Reply("Wait."), Pause())
    run = await client.start_run(RunRequest("Hi", f"{SESSION}-absence"))
    await gateway.wait_paused()
    await gateway.suspend()
    await run.abort()
    await gateway.resume()
    client.resume()
    await gateway.wait_until(lambda: not gateway.runs.active())


async def _reload_in_a_run(harness: FaultHarness) -> None:
    harness.gateway.script_once(Reply("Wait."), Pause())
    run = await harness.runtime.client.start_run(RunRequest("Hi", f"{SESSION}-reload"))
    await harness.gateway.wait_paused()
    await harness.hass.config_entries.async_reload(harness.entry.entry_id)
    harness.gateway.proceed()
    await asyncio.gather(run.result(), return_exceptions=True)


async def _listen_for_a_while(client: GatewayClient) -> None:
    unsubscribe = client.subscribe("tick", print)
    await client.request("health")
    unsubscribe()


async def _use(harness: FaultHarness) -> None:
    await _reload_in_a_run(harness)
    client = harness.runtime.client
    await _abort_while_away(client, harness.gateway)
    await _survive_a_drop(client, harness.gateway)
    harness.gateway.drop()
    await wait_for_state(harness.hass, CONNECTIVITY, "off")
    await wait_for_state(harness.hass, CONNECTIVITY, "on")
    await _converse(harness.hass, harness.gateway)
    await _listen_for_a_while(client)
    await _cancel_requests(client, harness.gateway)


async def test_scenario(harness: FaultHarness, entry: MockConfigEntry) -> None:
    found: dict[str, object] = {"started": entry.state.value}
    try:
        async with asyncio.timeout(2 * TIMEOUT):
            await _use(harness)
    except Exception as err:  # noqa: BLE001 - a mutant may do anything
        found["broke"] = type(err).__name__
    try:
        async with asyncio.timeout(60):
            found["bad"] = problems(await run_self_test(harness.hass, mode="drill"))
    except Exception as err:  # noqa: BLE001 - the same
        found["self_test"] = type(err).__name__
    print(f"\nMUTANT {json.dumps(found)}")
