"""Text-to-speech of silence."""

from collections.abc import AsyncGenerator
import io
from typing import Any
import wave

from homeassistant.components.tts import (
    TextToSpeechEntity,
    TTSAudioRequest,
    TTSAudioResponse,
    TtsAudioType,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import SAMPLE_RATE, SAMPLE_WIDTH, SECONDS_PER_CHARACTER


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the engine of a device."""
    async_add_entities([Voice(entry)])


class Voice(TextToSpeechEntity):
    """Engine that speaks text as it arrives."""

    _attr_default_language = "en"
    _attr_supported_languages = ["en", "de"]  # noqa: RUF012

    def __init__(self, entry: ConfigEntry) -> None:
        """Initialize the engine of a device."""
        self._attr_unique_id = entry.entry_id
        self._attr_name = f"{entry.title} voice"

    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> TtsAudioType:
        """Speak a whole message."""
        del language, options
        return "wav", _header() + sound_of(message)

    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Speak text as it arrives."""
        return TTSAudioResponse("wav", self._speak(request.message_gen))

    async def _speak(self, texts: AsyncGenerator[str]) -> AsyncGenerator[bytes]:
        yield _header()
        async for text in texts:
            yield sound_of(text)


def sound_of(text: str) -> bytes:
    """Return the sound of a text, without a header."""
    return bytes(round(len(text) * SECONDS_PER_CHARACTER * SAMPLE_RATE) * SAMPLE_WIDTH)


def _header() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(SAMPLE_WIDTH)
        sound.setframerate(SAMPLE_RATE)
    return file.getvalue()
