"""Voice devices and phones."""

from collections.abc import Mapping
from typing import Any, Final, override
from unittest.mock import patch

from homeassistant.components import assist_satellite, notify, tts
from homeassistant.components.assist_pipeline import PipelineEvent, PipelineEventType
from homeassistant.components.assist_satellite import AssistSatelliteAnnouncement
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import EntityComponent
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.ha.voice_devices import Phone, Satellite

# Answer of nobody: the device listens, and hears nothing.
SILENCE: Final = ""


class Speaker(Satellite):
    """Satellite that listens after a question.

    ``answer``: what it hears; None if it never listens.
    """

    answer: str | None = SILENCE

    @override
    async def async_start_conversation(
        self, start_announcement: AssistSatelliteAnnouncement
    ) -> None:
        """Say a question and listen."""
        await super().async_start_conversation(start_announcement)
        if self.answer is None:
            return
        self._run(PipelineEventType.STT_START)
        if self.answer:
            self._run(PipelineEventType.STT_END, {"stt_output": {"text": self.answer}})
        self._run(PipelineEventType.RUN_END)

    def _run(
        self, event: PipelineEventType, data: Mapping[str, Any] | None = None
    ) -> None:
        self._internal_on_pipeline_event(PipelineEvent(event, dict(data or {})))

    async def _resolve_announcement_media_id(
        self,
        message: str,
        media_id: str | None,  # noqa: ARG002 - Home Assistant's signature
        preannounce_media_id: str | None = None,  # noqa: ARG002 - the same
    ) -> AssistSatelliteAnnouncement:
        """Return an announcement without an engine that speaks."""
        return AssistSatelliteAnnouncement(message, "x", "x", None, "tts")


async def set_up_voice(hass: HomeAssistant, cache: str) -> None:
    """Set up the components of voice devices."""
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: cache):
        assert await async_setup_component(hass, "assist_satellite", {})
    for component in ("media_player", "notify"):
        assert await async_setup_component(hass, component, {})


def add_device(hass: HomeAssistant, name: str, area: str | None = None) -> str:
    """Add a device, in an area; return its id."""
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", name)}, name=name
    )
    if area:
        found = ar.async_get(hass).async_get_area_by_name(area)
        assert found is not None
        registry.async_update_device(device.id, area_id=found.id)
    return device.id


async def add_speaker(
    hass: HomeAssistant,
    name: str,
    area: str | None = None,
    *,
    speaker: Speaker | None = None,
    exposed: bool = True,
) -> Speaker:
    """Add a voice device."""
    speaker = speaker or Speaker(name.lower())
    component = hass.data[assist_satellite.const.DATA_COMPONENT]
    await _add(hass, component, speaker, add_device(hass, name, area))
    if exposed:
        async_expose_entity(hass, "conversation", speaker.entity_id, should_expose=True)
    return speaker


def device_of(hass: HomeAssistant, speaker: Speaker) -> str:
    """Return the id of a speaker's device."""
    entry = er.async_get(hass).async_get(speaker.entity_id)
    assert entry is not None
    assert entry.device_id is not None
    return entry.device_id


async def add_person(
    hass: HomeAssistant, name: str, user_id: str | None, phone: str | None = None
) -> Phone | None:
    """Add a person, and a phone that shows where the person is."""
    trackers, added = [], None
    if phone:
        device_id = add_device(hass, phone)
        tracker = er.async_get(hass).async_get_or_create(
            "device_tracker", "test", phone, device_id=device_id
        )
        trackers.append(tracker.entity_id)
        added = Phone(phone)
        await _add(hass, hass.data[notify.DATA_COMPONENT], added, device_id)
    hass.states.async_set(
        f"person.{name.lower()}",
        "home",
        {"user_id": user_id, "device_trackers": trackers, "friendly_name": name},
    )
    return added


async def _add(
    hass: HomeAssistant,
    component: EntityComponent[Any],
    entity: Entity,
    device_id: str,
) -> None:
    await component.async_add_entities([entity])
    er.async_get(hass).async_update_entity(entity.entity_id, device_id=device_id)
    await hass.async_block_till_done()
