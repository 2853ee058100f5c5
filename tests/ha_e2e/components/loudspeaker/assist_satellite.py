"""Satellite for tests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, override

from homeassistant.components import tts
from homeassistant.components.assist_pipeline import PipelineEvent, PipelineEventType
from homeassistant.components.assist_satellite import (
    AssistSatelliteAnnouncement,
    AssistSatelliteConfiguration,
    AssistSatelliteEntity,
    AssistSatelliteEntityFeature,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.helpers import entity_platform
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
import voluptuous as vol

from .const import DOMAIN, SAMPLE_RATE, SAMPLE_WIDTH

# What the pipeline takes as one piece of sound.
CHUNK = 320
# Of a WAV file without extensions.
HEADER = 44
NOTHING = AssistSatelliteEntityFeature(0)
FEATURES = (
    AssistSatelliteEntityFeature.ANNOUNCE
    | AssistSatelliteEntityFeature.START_CONVERSATION
)


@dataclass
class Played:
    """Something that was heard.

    Attributes:
        kind: `reply`, `announcement` or `conversation` (opens the microphone).
        began_after: seconds from the question, or from the call.
        seconds: length of the sound.
        longest_gap: seconds in which the player had nothing to play, amid the sound.
        listens: the microphone is open afterwards.

    """

    kind: str
    text: str = ""
    began_after: float = 0.0
    seconds: float = 0.0
    longest_gap: float = 0.0
    listens: bool = False
    error: str = ""


async def async_setup_entry(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a device, and the test's actions on it."""
    async_add_entities([Loudspeaker(entry)])
    platform = entity_platform.async_get_current_platform()
    only = SupportsResponse.ONLY
    platform.async_register_entity_service(
        "say", {vol.Required("text"): str}, "async_say", supports_response=only
    )
    platform.async_register_entity_service(
        "heard", None, "async_heard", supports_response=only
    )
    platform.async_register_entity_service("interrupt", None, "async_interrupt")
    platform.async_register_entity_service(
        "configure",
        {vol.Optional("available"): bool, vol.Optional("announces"): bool},
        "async_configure",
    )


class Loudspeaker(AssistSatelliteEntity):
    """Voice device."""

    _attr_has_entity_name = True
    _attr_name = None
    _attr_supported_features = FEATURES
    # As the engine has it: a conversion would need FFmpeg.
    _attr_tts_options = {tts.ATTR_PREFERRED_FORMAT: "wav"}  # noqa: RUF012

    def __init__(self, entry: ConfigEntry) -> None:
        """Initialize a device that has heard nothing."""
        self._attr_unique_id = entry.entry_id
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)}, name=entry.title
        )
        self._played: list[Played] = []
        self._reply = Played("reply")
        self._token: str | None = None
        self._playing: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    @override
    def async_get_configuration(self) -> AssistSatelliteConfiguration:
        """Return that there are no wake words."""
        return AssistSatelliteConfiguration([], [], 0)

    @override
    async def async_set_configuration(
        self, config: AssistSatelliteConfiguration
    ) -> None:
        """Do nothing: there are no wake words."""

    async def async_say(self, text: str) -> dict[str, Any]:
        """Say something; return the reply once it was played."""
        sound = text.encode()
        sound += bytes(-len(sound) % CHUNK)

        async def stream() -> AsyncIterator[bytes]:
            yield sound

        self._reply, self._token, self._playing = Played("reply"), None, None
        self._asked_at = self.hass.loop.time()
        reply = self._reply
        await self.async_accept_pipeline_from_satellite(stream())
        if self._playing:
            await self._playing
        return asdict(reply)

    async def async_heard(self) -> dict[str, Any]:
        """Return the announcements."""
        return {"played": [asdict(played) for played in self._played]}

    async def async_interrupt(self) -> None:
        """Interrupt the reply, as a wake word does."""
        await self._cancel_running_pipeline()
        if self._playing:
            self._playing.cancel()

    async def async_configure(
        self, *, available: bool | None = None, announces: bool | None = None
    ) -> None:
        """Lose the connection, or the feature to announce."""
        if available is not None:
            self._attr_available = available
        if announces is not None:
            self._attr_supported_features = FEATURES if announces else NOTHING
        self.async_write_ha_state()

    @override
    def on_pipeline_event(self, event: PipelineEvent) -> None:
        """Play the reply as soon as it can be streamed."""
        data = event.data or {}
        if event.type is PipelineEventType.RUN_START:
            self._token = (data.get("tts_output") or {}).get("token")
        elif event.type is PipelineEventType.INTENT_PROGRESS:
            if data.get("tts_start_streaming"):
                self._play_reply()
        elif event.type is PipelineEventType.INTENT_END:
            output = data["intent_output"]
            speech = output["response"]["speech"].get("plain", {})
            self._reply.text = speech.get("speech", "")
            self._reply.listens = output["continue_conversation"]
        elif event.type is PipelineEventType.ERROR:
            self._reply.error = data["code"]
        elif event.type is PipelineEventType.TTS_END:
            self._token = data["tts_output"]["token"]
            self._play_reply()

    def _play_reply(self) -> None:
        if self._playing is None and self._token:
            self._playing = self.hass.async_create_background_task(
                self._play(self._token, self._reply), "loudspeaker"
            )
            self._playing.add_done_callback(lambda _: self.tts_response_finished())

    @override
    async def async_announce(self, announcement: AssistSatelliteAnnouncement) -> None:
        """Play an announcement."""
        await self._announce(announcement, Played("announcement"))

    @override
    async def async_start_conversation(
        self, start_announcement: AssistSatelliteAnnouncement
    ) -> None:
        """Play an announcement, and listen."""
        await self._announce(start_announcement, Played("conversation", listens=True))

    async def _announce(
        self, announcement: AssistSatelliteAnnouncement, played: Played
    ) -> None:
        self._asked_at = self.hass.loop.time()
        played.text = announcement.message
        if announcement.tts_token:
            await self._play(announcement.tts_token, played)
        self._played.append(played)

    async def _play(self, token: str, played: Played) -> None:
        """Play a stream in real time."""
        stream = tts.async_get_stream(self.hass, token)
        if stream is None:
            played.error = "no stream"
            return
        clock = self.hass.loop.time
        # When the player has played all that it has.
        empty_at = 0.0
        size = 0
        async for chunk in stream.async_stream_result():
            audible = chunk[max(HEADER - size, 0) :]
            size += len(chunk)
            if not audible:
                continue
            now, length = clock(), len(audible) / (SAMPLE_RATE * SAMPLE_WIDTH)
            if not empty_at:
                played.began_after = now - self._asked_at
            else:
                played.longest_gap = max(played.longest_gap, now - empty_at)
            played.seconds += length
            empty_at = max(empty_at, now) + length
        await asyncio.sleep(max(empty_at - clock(), 0))
