"""Devices and listeners of announcements."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.components import tts
from homeassistant.components.assist_satellite import AssistSatelliteEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.announcements import Listener

from .voice_devices import Engine, Phone, Satellite, add, set_engine

ANNOUNCE = AssistSatelliteEntityFeature.ANNOUNCE


NO_FEATURE = AssistSatelliteEntityFeature(0)


@pytest.fixture
async def voice(hass: HomeAssistant, tmp_path: Path) -> None:
    """Set up voice devices and an assistant."""
    assert await async_setup_component(hass, "homeassistant", {})
    with patch.object(tts, "_init_tts_cache_dir", lambda *_: str(tmp_path)):
        assert await async_setup_component(hass, "assist_pipeline", {})
    await hass.data[tts.DATA_COMPONENT].async_add_entities([Engine()])
    for component in ("assist_satellite", "media_player", "notify", "person"):
        assert await async_setup_component(hass, component, {})
    # The first one is preferred.
    await set_engine(hass, "tts.engine")


@pytest.fixture
def notifications(hass: HomeAssistant) -> dict[str, Any]:
    """Return the notifications that Home Assistant itself shows."""
    found: dict[str, Any] = hass.data.setdefault("persistent_notification", {})
    return found


def texts(notifications: dict[str, Any]) -> list[str]:
    return [shown["message"] for shown in notifications.values()]


def new_device(hass: HomeAssistant, name: str, area: str | None = "Kitchen") -> str:
    """Return the id of another device."""
    [owner] = hass.config_entries.async_entries("test") or [MockConfigEntry()]
    if owner.domain != "test":
        raise AssertionError
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", name)}, name=name
    )
    if area:
        found = ar.async_get(hass).async_get_area_by_name(area)
        assert found
        registry.async_update_device(device.id, area_id=found.id)
    return device.id


async def add_phone(
    hass: HomeAssistant, user: str, name: str = "phone", error: Exception | None = None
) -> Phone:
    """Add the phone of a user's person."""
    device = new_device(hass, name, None)
    registry = er.async_get(hass)
    tracker = registry.async_get_or_create(
        "device_tracker", "test", name, device_id=device
    )
    person = {"id": name, "name": name, "user_id": user}
    people = {"person": {**person, "device_trackers": [tracker.entity_id]}}
    hass.states.async_set(f"person.{name}", "home", people["person"])
    return await add(hass, Phone(name, error), device)


@pytest.fixture
async def kitchen(
    hass: HomeAssistant,
    voice: None,  # noqa: ARG001 - set up first
    satellite: str,
) -> Satellite:
    """Add a satellite in the kitchen."""
    return await add(hass, Satellite(), satellite)


@pytest.fixture
def listener(satellite: str) -> Listener:
    """Return a listener in the kitchen."""
    return Listener(device_id=satellite)
