"""Speech-to-text of plain text."""

from collections.abc import AsyncIterable

from homeassistant.components.stt import (
    AudioBitRates,
    AudioChannels,
    AudioCodecs,
    AudioFormats,
    AudioSampleRates,
    SpeechMetadata,
    SpeechResult,
    SpeechResultState,
    SpeechToTextEntity,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the engine of a device."""
    async_add_entities([Ear(entry)])


class Ear(SpeechToTextEntity):
    """Speech-to-text engine for `Loudspeaker`."""

    _attr_supported_languages = ["en", "de"]  # noqa: RUF012
    supported_formats = [AudioFormats.WAV]  # noqa: RUF012
    supported_codecs = [AudioCodecs.PCM]  # noqa: RUF012
    supported_bit_rates = [AudioBitRates.BITRATE_16]  # noqa: RUF012
    supported_sample_rates = [AudioSampleRates.SAMPLERATE_16000]  # noqa: RUF012
    supported_channels = [AudioChannels.CHANNEL_MONO]  # noqa: RUF012

    def __init__(self, entry: ConfigEntry) -> None:
        """Initialize the engine of a device."""
        self._attr_unique_id = entry.entry_id
        self._attr_name = f"{entry.title} ear"

    @property
    def supported_languages(self) -> list[str]:
        """Return the languages."""
        return self._attr_supported_languages

    async def async_process_audio_stream(
        self,
        metadata: SpeechMetadata,  # noqa: ARG002 - Home Assistant's signature
        stream: AsyncIterable[bytes],
    ) -> SpeechResult:
        """Return the text."""
        sound = b"".join([chunk async for chunk in stream])
        return SpeechResult(sound.rstrip(b"\0").decode(), SpeechResultState.SUCCESS)
