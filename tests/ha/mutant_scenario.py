"""Life of an entry, with a drill of its self-test at the end.

`scripts/mutate` runs it without one of the cleanups. The last line it prints is the
outcome.
"""

import asyncio
from collections.abc import Coroutine
import json
from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import GatewayClient
from tests.simulator import GatewaySimulator, Pause, Reply, Tool

from .live import Live
from .self_test import bad, run_self_test
from .states import AGENT, CONNECTIVITY, wait_for_state

SESSION = "agent:main:ha-mutant"
PATIENCE = 3.0


async def _talk(hass: HomeAssistant, gateway: GatewaySimulator) -> None:
    gateway.script_once(Reply("It is"), Tool("look"), Reply("It is on."))
    data = {"text": "Is it on?", "agent_id": AGENT}
    await hass.services.async_call(
        "conversation", "process", data, blocking=True, return_response=True
    )


async def _ask[T](
    gateway: GatewaySimulator, method: str, asking: Coroutine[Any, Any, T]
) -> asyncio.Task[T]:
    """Ask for what is held back, and wait until it has arrived."""
    count = len(gateway.received(method)) + 1
    gateway.hold(method)
    task = asyncio.create_task(asking)
    await gateway.wait_for_request(method, count)
    return task


async def _lose_interest(client: GatewayClient, gateway: GatewaySimulator) -> None:
    """Stop a run, leave one before it starts, and let requests go unanswered."""
    gateway.script_once(Reply("Wait."), Pause())
    run = await client.start_run("Hi", session_key=SESSION)
    await gateway.wait_paused()
    await run.abort()
    for method, asking in (
        ("agent", client.start_run("Hi", session_key=SESSION)),
        ("agents.list", client.request("agents.list")),
        ("models.list", client.request("models.list", deadline=0.01)),
    ):
        task = await _ask(gateway, method, asking)
        if method != "models.list":
            task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)
        await asyncio.gather(task, return_exceptions=True)
        gateway.release(method)
    await gateway.wait_until(lambda: not gateway.runs.active())


async def _survive_a_drop(client: GatewayClient, gateway: GatewaySimulator) -> None:
    gateway.script_once(Reply("One."), Pause(), Tool("look"), Reply("Two."))
    run = await client.start_run("Hi", session_key=f"{SESSION}-drop")
    await gateway.wait_paused()
    asked = await _ask(gateway, "agents.list", client.request("agents.list"))
    gateway.drop()
    await gateway.wait_for_request("chat.history")
    gateway.release("agents.list")
    gateway.proceed()
    await run.result()
    await asyncio.gather(asked, return_exceptions=True)


async def _abort_in_absence(client: GatewayClient, gateway: GatewaySimulator) -> None:
    """Stop a run that cannot be told so; the next connection makes up for it."""
    gateway.script_once(Reply("Wait."), Pause())
    run = await client.start_run("Hi", session_key=f"{SESSION}-absence")
    await gateway.wait_paused()
    await gateway.suspend()
    await run.abort()
    await gateway.resume()
    client.resume()
    await gateway.wait_until(lambda: not gateway.runs.active())


async def _reload_in_a_run(live: Live) -> None:
    live.gateway.script_once(Reply("Wait."), Pause())
    run = await live.runtime.client.start_run("Hi", session_key=f"{SESSION}-reload")
    await live.gateway.wait_paused()
    await live.hass.config_entries.async_reload(live.entry.entry_id)
    live.gateway.proceed()
    await asyncio.gather(run.result(), return_exceptions=True)


async def _listen_for_a_while(client: GatewayClient) -> None:
    unsubscribe = client.subscribe("tick", print)
    await client.request("health")
    unsubscribe()


async def _live(live: Live) -> None:
    await _reload_in_a_run(live)
    client = live.runtime.client
    await _abort_in_absence(client, live.gateway)
    await _survive_a_drop(client, live.gateway)
    live.gateway.drop()
    await wait_for_state(live.hass, CONNECTIVITY, "off")
    await wait_for_state(live.hass, CONNECTIVITY, "on")
    await _talk(live.hass, live.gateway)
    await _listen_for_a_while(client)
    await _lose_interest(client, live.gateway)


async def test_scenario(live: Live, entry: MockConfigEntry) -> None:
    found: dict[str, object] = {"started": entry.state.value}
    try:
        async with asyncio.timeout(2 * PATIENCE):
            await _live(live)
    except Exception as err:  # noqa: BLE001 - a mutant may do anything
        found["broke"] = type(err).__name__
    try:
        async with asyncio.timeout(60):
            found["bad"] = bad(await run_self_test(live.hass, mode="drill"))
    except Exception as err:  # noqa: BLE001 - the same
        found["self_test"] = type(err).__name__
    print(f"\nMUTANT {json.dumps(found)}")
