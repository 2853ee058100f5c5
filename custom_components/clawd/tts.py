"""Text to speech by a Gateway."""

from typing import TYPE_CHECKING, override

from homeassistant.components.tts import TextToSpeechEntity
from homeassistant.components.tts.entity import TTSAudioRequest, TTSAudioResponse
from homeassistant.generated.languages import DEFAULT_LANGUAGE, LANGUAGES
from homeassistant.helpers.entity import EntityDescription

from .assist.synthesis import async_speak
from .entity import ClawdEntity
from .runtime.speech import SpeechCoordinator

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

    from .coordinator import ClawdConfigEntry

# No limit: one text is spoken in order, two devices at the same time.
PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ClawdConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the voice of a Gateway."""
    async_add_entities([ClawdTextToSpeechEntity(entry.runtime_data.speech)])


class ClawdTextToSpeechEntity(ClawdEntity[SpeechCoordinator], TextToSpeechEntity):
    """Voice of a Gateway.

    `tts.speak` takes nothing but the text: there is no choice of voice, language or
    format, and the Gateway does not tell which languages its provider speaks.
    """

    entity_description = EntityDescription(key="voice", translation_key="voice")
    _attr_supported_languages = sorted(LANGUAGES)

    def __init__(self, coordinator: SpeechCoordinator) -> None:
        """Initialize the entity."""
        super().__init__(coordinator, self.entity_description.key)
        language = coordinator.hass.config.language
        known = language in LANGUAGES
        self._attr_default_language = language if known else DEFAULT_LANGUAGE

    @property
    @override
    def available(self) -> bool:
        """Return whether something can speak."""
        return self.coordinator.available

    @override
    async def async_stream_tts_audio(
        self, request: TTSAudioRequest
    ) -> TTSAudioResponse:
        """Stream the speech of a text."""
        return TTSAudioResponse(
            *await async_speak(self.coordinator, request.message_gen)
        )
