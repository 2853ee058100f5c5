"""System information."""

import asyncio
from typing import Any

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    get_system_health_info,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

from .self_test import run_self_test
from .states import CONNECTIVITY, wait_for_state


async def _figures(hass: HomeAssistant) -> dict[str, Any]:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    return dict(await get_system_health_info(hass, DOMAIN))


@pytest.mark.parametrize(("protocol", "version"), [(3, "dev"), (4, "2026.9.6")])
@pytest.mark.usefixtures("entry")
async def test_a_gateway_shows_what_it_is(
    hass: HomeAssistant, protocol: int, version: str
) -> None:
    assert await _figures(hass) == {
        "connected": True,
        "gateway_version": version,
        "protocol": protocol,
        "reconnects": 0,
    }


async def test_its_past_is_shown_too(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    report = await run_self_test(hass, config_entry=entry.entry_id)

    figures = await _figures(hass)

    assert figures["reconnects"] == 1
    assert figures["last_disconnect"].startswith("1006 (20")
    assert figures["last_self_test"] == f"{report['status']} ({report['started_at']})"


async def test_a_disconnected_one_tells_of_the_drop(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert entry.runtime_data.coordinator.connected
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    figures = await _figures(hass)

    assert figures.keys() == {"connected", "reconnects", "last_disconnect"}
    assert figures["connected"] is False
    assert figures["last_disconnect"].startswith("1001 (20")


async def test_one_that_is_not_loaded_is_not_connected(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)

    assert await _figures(hass) == {"connected": False}


async def test_several_are_told_apart(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    MockConfigEntry(domain=DOMAIN, title=entry.title).add_to_hass(hass)

    figures = await _figures(hass)

    assert figures["OpenClaw Gateway (1): Connected"] is True
    assert figures["OpenClaw Gateway (1): Protocol version"] == 4
    assert figures["OpenClaw Gateway (2): Connected"] is False


@pytest.mark.usefixtures("entry")
async def test_one_that_was_discovered_and_ignored_is_not_told_of(
    hass: HomeAssistant,
) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE).add_to_hass(hass)

    assert (await _figures(hass))["connected"] is True


async def test_no_secret_is_in_it(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    token = gateway.token
    gateway.edit("hello-ok", lambda hello: hello["server"].update(version=token))
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await entry.runtime_data.client.wait_connected()

    figures = await _figures(hass)

    assert figures["gateway_version"] == "**REDACTED**"
    assert token not in str(figures)


@pytest.mark.usefixtures("entry")
async def test_the_frontend_gets_it(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    client = await hass_ws_client(hass)

    await client.send_json_auto_id({"type": "system_health/info"})
    async with asyncio.timeout(5):
        while (message := await client.receive_json())["type"] != "event":
            assert message["success"]

    assert message["event"]["data"][DOMAIN]["info"]["connected"] is True
