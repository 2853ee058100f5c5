"""Home with sensitive devices, scripts and a scene."""

from pathlib import Path
from typing import Any

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    setup_test_component_platform,
)

from .harness import SCRIPTS, TEMPLATES, Home, WaterValve
from .speakers import Speaker, add_speaker, set_up_voice


@pytest.fixture
def home_settings() -> dict[str, Any]:
    """Return the agent's settings on the home; parametrize a test by it."""
    return {}


@pytest.fixture
def agent_settings(home_settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of an agent that may control the home."""
    return {"home_access": "control", **home_settings}


@pytest.fixture
async def house(hass: HomeAssistant) -> None:
    """Set up the entities of the home, in two areas, and expose them."""
    for component in ("homeassistant", "conversation", "cover", "light", "climate"):
        assert await async_setup_component(hass, component, {})
    assert await async_setup_component(hass, "template", {"template": TEMPLATES})
    assert await async_setup_component(hass, "script", {"script": SCRIPTS})
    setup_test_component_platform(hass, "valve", [WaterValve()])
    assert await async_setup_component(hass, "valve", {"valve": {"platform": "test"}})
    scene = {
        "name": "Evening",
        "entities": {"light.kitchen_light": "on", "lock.front_door": "unlocked"},
    }
    quiet = {"name": "Quiet", "entities": {"light.kitchen_light": "off"}}
    assert await async_setup_component(hass, "scene", {"scene": [scene, quiet]})
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    areas = ar.async_get(hass)
    kitchen = areas.async_create("Kitchen").id
    hall = areas.async_create("Hall", aliases={"Entrance"}).id
    for entity_id, area in {
        "light.kitchen_light": kitchen,
        "light.hall_light": hall,
        "lock.front_door": hall,
        "cover.garage": hall,
        "cover.curtain": kitchen,
        "valve.water": kitchen,
        "switch.pump": kitchen,
    }.items():
        registry.async_update_entity(entity_id, area_id=area)
    for state in hass.states.async_all():
        async_expose_entity(hass, "conversation", state.entity_id, should_expose=True)


@pytest.fixture
async def home(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - set up first
    new_entry: MockConfigEntry,
) -> Home:
    """Return the home with an agent's access."""
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    user = MockUser(name="Ada", is_owner=True).add_to_hass(hass)
    return Home(hass, new_entry, user.id)


@pytest.fixture
def kitchen_device(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - has the area
) -> str:
    """Return the id of a voice device in the kitchen."""
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    registry = dr.async_get(hass)
    device = registry.async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", "1")}, name="Satellite"
    )
    area = ar.async_get(hass).async_get_area_by_name("Kitchen")
    assert area is not None
    registry.async_update_device(device.id, area_id=area.id)
    return device.id


@pytest.fixture
async def voice(
    hass: HomeAssistant,
    house: None,  # noqa: ARG001 - has the areas
    tmp_path: Path,
) -> None:
    """Set up voice devices."""
    await set_up_voice(hass, str(tmp_path))


@pytest.fixture
async def kitchen(hass: HomeAssistant, voice: None) -> Speaker:  # noqa: ARG001 - set up first
    """Return a voice device in the kitchen."""
    return await add_speaker(hass, "Oven", "Kitchen")


@pytest.fixture
async def hall(hass: HomeAssistant, voice: None) -> Speaker:  # noqa: ARG001 - set up first
    """Return a voice device in the hall."""
    return await add_speaker(hass, "Mirror", "Hall")


@pytest.fixture
def shown(hass: HomeAssistant) -> dict[str, Any]:
    """Return the notifications that Home Assistant itself shows."""
    found: dict[str, Any] = hass.data.setdefault("persistent_notification", {})
    return found
