"""Replies in the Assist pipeline."""

from pathlib import Path
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from tests.simulator import GatewaySimulator, Pause, Reply, Tool

from .assist_client import wait_processed
from .voice_pipeline import Assist, Player, add_player, create_pipeline

pytestmark = pytest.mark.parametrize("protocol", [3, 4])

# Longer than what lets the pipeline start to speak.
SCRATCH = "I should look up the sensor in the living room and the one outside first."
STREAMING = {"tts_start_streaming": True}


@pytest.fixture
async def player(hass: HomeAssistant, tmp_path: Path) -> Player:
    """Add a player to a Home Assistant that keeps no speech."""
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})
    player = Player()
    await add_player(hass, player)
    return player


@pytest.fixture
async def assist(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    player: Player,
    hass_ws_client: WebSocketGenerator,
) -> Assist:
    """Return a pipeline of the agent and the player."""
    assert entry.runtime_data
    return await create_pipeline(await hass_ws_client(hass), player)


@pytest.mark.parametrize("agent_settings", [{"spoken_part": "everything"}])
async def test_speech_does_not_start_before_a_tool(
    entry: MockConfigEntry,
    assist: Assist,
    gateway: GatewaySimulator,
    player: Player,
    satellite: str,
) -> None:
    gateway.script(Reply(SCRATCH), Tool("look"), Pause(), Reply("It is warm."))

    await assist.ask(satellite)
    await gateway.wait_paused()
    await wait_processed(entry)
    assert player.heard == []
    gateway.proceed()
    events = await assist.events_to("run-end")

    # The whole reply comes at once: the player never waits for text.
    assert STREAMING in events
    await player.done.wait()
    assert "".join(player.heard) == f"{SCRATCH}\n\nIt is warm."
    assert len(player.heard) == 1


async def test_a_long_reply_is_spoken_before_its_end(
    assist: Assist,
    gateway: GatewaySimulator,
    player: Player,
    satellite: str,
) -> None:
    chunks = (*("It is ", "warm. ") * 30, "It is")
    gateway.script(Reply(chunks=chunks), Pause(), Reply(chunks=(" cold.",)))

    await assist.ask(satellite)
    await gateway.wait_paused()
    await assist.events_to("tts_start_streaming")
    gateway.proceed()
    await assist.events_to("run-end")

    await player.done.wait()
    assert "".join(player.heard).split() == [
        *("It is warm. " * 30 + "It is cold.").split()
    ]
    assert len(player.heard) > 1
    assert all(text.rstrip().endswith(".") for text in player.heard)


async def test_a_short_reply_is_spoken_at_its_end(
    assist: Assist, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply("It is **warm**."))

    await assist.ask(satellite)
    events = await assist.events_to("run-end")

    assert STREAMING not in events
    [end] = [event["intent_output"] for event in events if "intent_output" in event]
    assert end["response"]["speech"]["plain"]["speech"] == "It is warm."
