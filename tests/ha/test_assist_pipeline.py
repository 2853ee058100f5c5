"""Replies in Home Assistant's own pipeline, with a player that streams."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, override
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.components.tts import (
    TextToSpeechEntity,
    TTSAudioRequest,
    TTSAudioResponse,
)
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    MockHAClientWebSocket,
    WebSocketGenerator,
)

from tests.simulator import GatewaySimulator, Pause, Reply, Tool

from .assist_client import catch_up
from .states import AGENT

pytestmark = pytest.mark.parametrize("protocol", [3, 4])

# Longer than what lets the pipeline start to speak.
SCRATCH = "I should look up the sensor in the living room and the one outside first."
STREAMING = {"tts_start_streaming": True}


class Player(TextToSpeechEntity):
    """Engine that speaks text as it arrives."""

    _attr_name = "Player"
    _attr_default_language = "en"
    _attr_supported_languages = ["en"]  # noqa: RUF012 - as Home Assistant's own

    def __init__(self) -> None:
        """Initialize without text."""
        self.heard: list[str] = []
        self.done = asyncio.Event()

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Return a byte for each piece of text."""
        return TTSAudioResponse("mp3", self._speak(request.message_gen))

    async def _speak(self, texts: AsyncGenerator[str]) -> AsyncGenerator[bytes]:
        async for text in texts:
            self.heard.append(text)
            yield b"x"
        self.done.set()


class Assist:
    """Question to the pipeline, and its events."""

    def __init__(self, client: MockHAClientWebSocket, pipeline: str) -> None:
        """Ask through a connection."""
        self._client = client
        self._pipeline = pipeline

    async def ask(self, device: str) -> None:
        """Ask as a device."""
        await self._client.send_json_auto_id(
            {
                "type": "assist_pipeline/run",
                "start_stage": "intent",
                "end_stage": "tts",
                "input": {"text": "How warm is it?"},
                "pipeline": self._pipeline,
                "device_id": device,
            }
        )
        assert (await self._client.receive_json())["success"]

    async def events_to(self, last: str) -> list[dict[str, Any]]:
        """Return the data of the events up to one of a type, or of a datum."""
        events: list[dict[str, Any]] = []
        while True:
            event = (await self._client.receive_json())["event"]
            events.append(event["data"] or {})
            if last == event["type"] or last in events[-1]:
                return events


@pytest.fixture
async def player(hass: HomeAssistant, tmp_path: Path) -> Player:
    """Add a player to a Home Assistant that keeps no speech."""
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})
    player = Player()
    await hass.data[tts.DATA_COMPONENT].async_add_entities([player])
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
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/pipeline/create",
            "name": "Agent",
            "language": "en",
            "conversation_engine": AGENT,
            "conversation_language": "en",
            "stt_engine": None,
            "stt_language": None,
            "tts_engine": player.entity_id,
            "tts_language": "en",
            "tts_voice": None,
            "wake_word_entity": None,
            "wake_word_id": None,
        }
    )
    created = await client.receive_json()
    return Assist(client, created["result"]["id"])


@pytest.mark.parametrize("agent_settings", [{}, {"tool_progress": True}])
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
    await catch_up(entry)
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
    assert "".join(player.heard) == "It is warm. " * 30 + "It is cold."
    assert len(player.heard) > 1
    assert all(text.endswith((". ", ".")) for text in player.heard)


async def test_a_short_reply_is_spoken_at_its_end(
    assist: Assist, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply("It is **warm**."))

    await assist.ask(satellite)
    events = await assist.events_to("run-end")

    assert STREAMING not in events
    [end] = [event["intent_output"] for event in events if "intent_output" in event]
    assert end["response"]["speech"]["plain"]["speech"] == "It is warm."
