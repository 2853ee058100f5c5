"""Home checks with voice devices."""

import json

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from tests.ha.downloads import Download
from tests.ha.self_test import run_self_test

from .harness import Home
from .speakers import add_speaker, device_of

pytestmark = pytest.mark.usefixtures("voice")


async def message_of(hass: HomeAssistant, check_id: str) -> str:
    """Return status and message of a check that passes."""
    report = await run_self_test(hass, mode="passive", checks=[check_id])
    [check] = report["checks"]
    assert check["status"] == "pass", check
    return str(check["message"])


async def test_hidden_voice_device_is_tried(hass: HomeAssistant, home: Home) -> None:
    oven = await add_speaker(hass, "Oven")
    await home.service.async_update_tools()
    hidden = await add_speaker(hass, "Attic", exposed=False)
    hass.states.async_set("assist_satellite.virtual", "idle")
    async_expose_entity(
        hass, "conversation", "assist_satellite.virtual", should_expose=False
    )
    assert "(calls: 7)" in await message_of(hass, "home_policy")
    er.async_get(hass).async_get_or_create(
        "media_player", "test", "attic", device_id=device_of(hass, hidden)
    )
    hass.states.async_remove("assist_satellite.virtual")
    assert "(calls: 7)" in await message_of(hass, "home_policy")
    assert (oven.said, hidden.said) == ([], [])


async def test_voice_devices_are_exposed_by_their_players(
    hass: HomeAssistant, home: Home
) -> None:
    oven = await add_speaker(hass, "Oven", exposed=False)
    er.async_get(hass).async_get_or_create(
        "media_player", "test", "oven", device_id=device_of(hass, oven)
    )
    await home.service.async_update_tools()
    assert "home_announce" in {tool.name for tool in home.service.tools}
    await message_of(hass, "home_exposure")


async def test_diagnostics_count_voice_devices(
    hass: HomeAssistant, home: Home, download: Download
) -> None:
    await add_speaker(hass, "Oven")
    home.service.messages.count("main")
    text = await download()
    counts = json.loads(text)["data"]["home"]
    assert counts["voice_devices"] == {"announce": 1, "ask": 1}
    assert counts["messages_of_last_hour"] == 1
    assert "oven" not in json.dumps(counts).lower()
