"""Assist pipeline with a player."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import pairwise
import time
from typing import Any, Final, override

from homeassistant.components import tts
from homeassistant.components.tts import (
    TextToSpeechEntity,
    TTSAudioRequest,
    TTSAudioResponse,
)
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket
from sentence_stream import async_stream_to_sentences

from custom_components.clawd.coordinator import ClawdConfigEntry

from .assist_client import wait_processed
from .states import AGENT

# Of a usual voice, 160 words a minute; and of an engine before each sentence.
CHARACTERS_PER_SECOND: Final = 15.0
SYNTHESIS: Final = 0.3
STEP: Final = 0.1
# Seconds, after which a pipeline hangs.
MAX_DURATION: Final = 120.0


class Player(TextToSpeechEntity):
    """Engine that speaks text as it arrives."""

    _attr_name = "Player"
    _attr_default_language = "en"
    _attr_supported_languages = ["de", "en"]  # noqa: RUF012 - as Home Assistant's own

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
            self.record(text)
            yield b"x"
        self.done.set()

    def record(self, text: str) -> None:
        """Record a spoken text."""
        self.heard.append(text)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Sentence that a player has said, and when."""

    text: str
    start: float
    end: float


class RealTimePlayer(Player):
    """Engine that says whole sentences, one after the other, as fast as people do.

    It finds them as Piper, ElevenLabs and Home Assistant Cloud do.
    """

    def __init__(self, rate: float = CHARACTERS_PER_SECOND) -> None:
        """Say so many characters a second."""
        super().__init__()
        self.said: list[Sentence] = []
        self._rate = rate

    @override
    async def _speak(self, texts: AsyncGenerator[str]) -> AsyncGenerator[bytes]:
        async for sentence in async_stream_to_sentences(texts):
            self.record(sentence)
            yield b"x"
        self.done.set()

    @override
    def record(self, text: str) -> None:
        super().record(text)
        free = self.said[-1].end if self.said else 0.0
        start = max(asyncio.get_running_loop().time() + SYNTHESIS, free)
        self.said.append(Sentence(text, start, start + len(text) / self._rate))

    @property
    def longest_pause(self) -> float:
        """Return the longest time without words between the first and the last."""
        pauses = (after.start - before.end for before, after in pairwise(self.said))
        return max(pauses, default=0.0)


@dataclass
class StoppedClock:
    """Monotonic clock that only the test moves; the event loop's, too."""

    now: float

    def __init__(self) -> None:
        """Start at the present time."""
        self.now = time.monotonic()

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    async def run_until_done(
        self, entry: ClawdConfigEntry, task: asyncio.Task[Any]
    ) -> None:
        """Move on step by step until a task is done, and everything has arrived."""
        start = self.now
        while not task.done():
            assert self.now < start + MAX_DURATION
            self.now += STEP
            await wait_processed(entry)


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
        result = await self._client.receive_json()
        assert result["success"], result

    async def events_to(self, last: str) -> list[dict[str, Any]]:
        """Return the data of the events up to one of a type, or of a datum."""
        events: list[dict[str, Any]] = []
        while True:
            event = (await self._client.receive_json())["event"]
            events.append(event["data"] or {})
            if last == event["type"] or last in events[-1]:
                return events


async def add_player(hass: HomeAssistant, player: Player) -> None:
    """Add a player to Home Assistant."""
    await hass.data[tts.DATA_COMPONENT].async_add_entities([player])


async def create_pipeline(
    client: MockHAClientWebSocket, player: Player, language: str = "en"
) -> Assist:
    """Create a pipeline of the agent and a player."""
    await client.send_json_auto_id(
        {
            "type": "assist_pipeline/pipeline/create",
            "name": "Agent",
            "language": language,
            "conversation_engine": AGENT,
            "conversation_language": language,
            "stt_engine": None,
            "stt_language": None,
            "tts_engine": player.entity_id,
            "tts_language": language,
            "tts_voice": None,
            "wake_word_entity": None,
            "wake_word_id": None,
        }
    )
    created = await client.receive_json()
    return Assist(client, created["result"]["id"])
