"""Voice devices, media players and phones."""

import asyncio
from typing import Any, override

from homeassistant.components import assist_satellite, media_player, notify
from homeassistant.components.assist_pipeline import PipelineEvent
from homeassistant.components.assist_pipeline.pipeline import (
    async_get_pipeline,
    async_update_pipeline,
)
from homeassistant.components.assist_satellite import (
    AssistSatelliteAnnouncement,
    AssistSatelliteConfiguration,
    AssistSatelliteEntity,
    AssistSatelliteEntityFeature,
)
from homeassistant.components.assist_satellite.entity import AssistSatelliteState
from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
)
from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.components.tts import TextToSpeechEntity, TtsAudioType
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import EntityComponent
from homeassistant.util.hass_dict import HassKey

BOTH = (
    AssistSatelliteEntityFeature.ANNOUNCE
    | AssistSatelliteEntityFeature.START_CONVERSATION
)
PLAYS = MediaPlayerEntityFeature.PLAY_MEDIA
MIXES = PLAYS | MediaPlayerEntityFeature.MEDIA_ANNOUNCE


class Satellite(AssistSatelliteEntity):
    """Satellite that says everything at once, unless it is held."""

    def __init__(
        self,
        name: str = "satellite",
        features: AssistSatelliteEntityFeature = BOTH,
        error: Exception | None = None,
    ) -> None:
        """Initialize an idle satellite that has said nothing."""
        self._attr_name = self._attr_unique_id = name
        self._attr_supported_features = features
        self._error = error
        self.said: list[str] = []
        self.asked: list[str] = []
        self.prompts: list[str | None] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    @override
    def on_pipeline_event(self, event: PipelineEvent) -> None:
        """Ignore pipeline events."""

    @override
    async def async_announce(self, announcement: AssistSatelliteAnnouncement) -> None:
        """Say a message."""
        await self._play()
        self.said.append(announcement.message)

    @override
    async def async_start_conversation(
        self, start_announcement: AssistSatelliteAnnouncement
    ) -> None:
        """Say a message and listen."""
        await self._play()
        self.prompts.append(self._extra_system_prompt)
        self.asked.append(start_announcement.message)

    async def _play(self) -> None:
        self.begun.set()
        await self.may_end.wait()
        if self._error:
            raise self._error

    def become(self, state: AssistSatelliteState) -> None:
        """Enter a state, as a pipeline does."""
        self._set_state(state)

    def go(self, *, available: bool) -> None:
        """Become available or not."""
        self._attr_available = available
        self.async_write_ha_state()

    @override
    def async_get_configuration(self) -> AssistSatelliteConfiguration:
        """Return no wake words."""
        return AssistSatelliteConfiguration([], [], 1)

    @override
    async def async_set_configuration(
        self, config: AssistSatelliteConfiguration
    ) -> None:
        """Ignore wake words."""


class Player(MediaPlayerEntity):
    """Media player that records its media."""

    def __init__(
        self,
        name: str,
        features: MediaPlayerEntityFeature = MIXES,
        state: MediaPlayerState = MediaPlayerState.IDLE,
        *,
        muted: bool = False,
        error: Exception | None = None,
    ) -> None:
        """Initialize the player."""
        self._attr_name = self._attr_unique_id = name
        self._attr_supported_features = features
        self._attr_state = state
        self._attr_volume_level = 0.5
        self._attr_is_volume_muted = muted
        self._error = error
        self.played: list[str] = []

    @override
    async def async_play_media(
        self, media_type: str, media_id: str, **kwargs: object
    ) -> None:
        """Note the media."""
        if self._error:
            raise self._error
        assert kwargs["announce"] is True
        self.played.append(media_id)

    def turn(self, volume: float) -> None:
        """Have a volume, up to 1."""
        self._attr_volume_level = volume
        self.async_write_ha_state()


class Phone(NotifyEntity):
    """Phone that shows notifications."""

    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, name: str, error: Exception | None = None) -> None:
        """Initialize without notifications."""
        self._attr_name = self._attr_unique_id = name
        self._error = error
        self.shown: list[tuple[str | None, str]] = []

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Note the notification."""
        if self._error:
            raise self._error
        self.shown.append((title, message))


async def add[T: Entity](hass: HomeAssistant, entity: T, device_id: str | None) -> T:
    """Add an entity to a device."""
    keys: dict[type[Entity], HassKey[EntityComponent[Any]]] = {
        Satellite: assist_satellite.const.DATA_COMPONENT,
        Player: media_player.DATA_COMPONENT,
        Phone: notify.DATA_COMPONENT,
    }
    await hass.data[keys[type(entity)]].async_add_entities([entity])
    er.async_get(hass).async_update_entity(entity.entity_id, device_id=device_id)
    await hass.async_block_till_done()
    return entity


class Engine(TextToSpeechEntity):
    """Text-to-speech engine without output."""

    _attr_name = "Engine"
    _attr_default_language = "en"
    _attr_supported_languages = ["en"]  # noqa: RUF012 - as Home Assistant's own
    _attr_supported_options = ["voice"]  # noqa: RUF012 - the same

    @override
    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> TtsAudioType:
        """Return no speech worth hearing."""
        return "mp3", b"x"


async def set_engine(
    hass: HomeAssistant, engine: str | None, voice: str | None = None
) -> None:
    """Have the preferred assistant speak by an engine."""
    await async_update_pipeline(
        hass,
        async_get_pipeline(hass),
        conversation_engine="conversation.main",
        tts_engine=engine,
        tts_language="en",
        tts_voice=voice,
    )
