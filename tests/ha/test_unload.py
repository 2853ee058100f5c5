"""Unload of an entry, which leaves nothing behind."""

import asyncio

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import RunRequest
from tests.leak_guard import no_leaks
from tests.simulator import GatewaySimulator, Pause, Reply

from .self_test import run_self_test
from .states import CONNECTIVITY, wait_for_state

CYCLES = 3


async def _unload(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


def _listeners(hass: HomeAssistant) -> dict[str, int]:
    """Count the listeners on the bus, but for the stores that have yet to write."""
    counts = {str(event): n for event, n in hass.bus.async_listeners().items()}
    del counts[str(EVENT_HOMEASSISTANT_FINAL_WRITE)]
    return counts


@pytest.mark.parametrize("protocol", [3, 4])
async def test_set_up_and_unloaded_leaves_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await _unload(hass, entry)
    await gateway.wait_until(lambda: not gateway.open_connections)
    listeners = _listeners(hass)

    async with no_leaks():
        for _ in range(CYCLES):
            assert await hass.config_entries.async_setup(entry.entry_id)
            await run_self_test(hass, config_entry=entry.entry_id)
            await _unload(hass, entry)
        await gateway.wait_until(lambda: not gateway.open_connections)

    assert _listeners(hass) == listeners


@pytest.mark.parametrize("protocol", [3, 4])
async def test_an_unload_ends_a_run_and_a_request(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause())
    gateway.hold("health")
    client = entry.runtime_data.client
    run = await client.start_run(RunRequest("Hello", "agent:main:ha-unload"))
    request = asyncio.create_task(client.request("health"))
    await gateway.wait_for_request("health")

    await _unload(hass, entry)

    results = await asyncio.gather(run.result(), request, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["NotConnectedError"] * 2
    assert client.introspection.tasks == {}
    assert client.introspection.runs == client.introspection.pending == ()
    assert client.introspection.listeners == {}
    gateway.proceed()
    gateway.release("health")


async def test_an_unload_ends_a_client_that_waits_to_reconnect(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    client = entry.runtime_data.client
    assert "run" in client.introspection.tasks.values()

    await _unload(hass, entry)

    assert client.introspection.tasks == {}
    assert client.introspection.listeners == {}
