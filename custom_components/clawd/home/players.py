"""Speech on media players."""

import asyncio
from typing import TYPE_CHECKING, Final

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_CONTENT_ID,
    ATTR_MEDIA_CONTENT_TYPE,
    DOMAIN as MEDIA_PLAYER,
    SERVICE_PLAY_MEDIA,
    MediaPlayerEntityFeature,
    MediaType,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    STATE_BUFFERING,
    STATE_PLAYING,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import LOGGER
from .apis import ASSISTANT
from .satellites import FAILED, CannotSpeakError, is_muted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from homeassistant.helpers.entity_registry import RegistryEntry

# Seconds until a player must have started.
PLAY_TIMEOUT: Final = 30.0


async def async_play(hass: HomeAssistant, device_id: str | None, message: str) -> None:
    """Speak a message on a media player.

    On the first one of the device's area that can.

    Raises:
        CannotSpeakError: none can, one does not end, or there is no engine for speech.

    """
    content_id = _speech_source(hass, message)
    for entity_id in find_players(hass, device_id):
        try:
            async with asyncio.timeout(PLAY_TIMEOUT):
                await hass.services.async_call(
                    MEDIA_PLAYER,
                    SERVICE_PLAY_MEDIA,
                    {
                        ATTR_ENTITY_ID: entity_id,
                        ATTR_MEDIA_CONTENT_ID: content_id,
                        ATTR_MEDIA_CONTENT_TYPE: MediaType.MUSIC,
                        ATTR_MEDIA_ANNOUNCE: True,
                    },
                    blocking=True,
                )
        except TimeoutError as err:
            # It may still speak: do not try another one.
            raise CannotSpeakError(FAILED) from err
        except Exception as err:  # noqa: BLE001 - an integration may raise anything
            LOGGER.debug("A media player failed: %s", type(err).__name__)
        else:
            return
    raise CannotSpeakError("no_media_player")


@callback
def find_players(hass: HomeAssistant, device_id: str | None) -> tuple[str, ...]:
    """Return the media players near a device.

    Only those that can speak, best first: those of the device itself, then those that
    mix announcements into their playback; others only while idle.
    """
    found: list[tuple[bool, bool, str]] = []
    for entry in _area_players(hass, device_id):
        state = hass.states.get(entry.entity_id)
        if state is None or is_muted(state):
            continue
        features = state.attributes.get(ATTR_SUPPORTED_FEATURES, 0)
        mixes = bool(features & MediaPlayerEntityFeature.MEDIA_ANNOUNCE)
        busy = (STATE_UNAVAILABLE, STATE_UNKNOWN) + (
            () if mixes else (STATE_PLAYING, STATE_BUFFERING)
        )
        own = entry.device_id == device_id
        if (
            features & MediaPlayerEntityFeature.PLAY_MEDIA
            and state.state not in busy
            and (own or async_should_expose(hass, ASSISTANT, entry.entity_id))
        ):
            found.append((not own, not mixes, entry.entity_id))
    return tuple(entity_id for *_, entity_id in sorted(found))


def _area_players(
    hass: HomeAssistant, device_id: str | None
) -> Iterator[RegistryEntry]:
    """Yield the media players near a device.

    Of the device and its area.
    """
    devices, entities = dr.async_get(hass), er.async_get(hass)
    satellite = entities.async_get(device_id) if device_id else None
    if satellite and satellite.device_id:
        device_id = satellite.device_id
    device = devices.async_get(device_id) if device_id else None
    area = (satellite and satellite.area_id) or (device and device.area_id)
    for entry in entities.entities.values():
        if entry.domain != MEDIA_PLAYER or entry.disabled_by:
            continue
        if device and entry.device_id == device.id:
            yield entry
            continue
        owner = devices.async_get(entry.device_id) if entry.device_id else None
        if area and (entry.area_id or (owner and owner.area_id)) == area:
            yield entry


def _speech_source(hass: HomeAssistant, message: str) -> str:
    """Return the media source of a message.

    Raises:
        CannotSpeakError: there is no assistant that speaks.

    """
    if not {"assist_pipeline", "tts"} <= hass.config.components:
        raise CannotSpeakError("no_speech_engine")
    # Their requirements are installed only where they are set up.
    from homeassistant.components import assist_pipeline, tts  # noqa: PLC0415

    try:
        pipeline = assist_pipeline.async_get_pipeline(hass)
    except assist_pipeline.PipelineNotFound as err:
        raise CannotSpeakError("no_speech_engine") from err
    if pipeline.tts_engine is None:
        raise CannotSpeakError("no_speech_engine")
    voice = pipeline.tts_voice
    try:
        # A stream has no text in its address, which is an attribute of the player.
        stream = tts.async_create_stream(
            hass,
            pipeline.tts_engine,
            pipeline.tts_language,
            {} if voice is None else {tts.ATTR_VOICE: voice},
        )
    except HomeAssistantError as err:
        raise CannotSpeakError("no_speech_engine") from err
    stream.async_set_message(message)
    return stream.media_source_id
