"""Names of cameras, as agents are told them."""

from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from tests.ha.pictures import add_camera
from tests.simulator import GatewaySimulator, Reply

from .harness import Home
from .test_looking import SEEN, door, look

__all__ = ["door"]

LONG = "Camera above the gate of the drive, which shows the street and both gardens"


@pytest.fixture
def _seen(gateway: GatewaySimulator) -> None:
    """Let the model see something."""
    gateway.script(Reply(SEEN))


@pytest.mark.usefixtures("_seen")
@pytest.mark.parametrize(
    "name", ["Front door", "FRONT DOOR", "front  door", "Camera.Front_Door", "Haustür"]
)
async def test_a_name_in_the_list_is_known(
    hass: HomeAssistant, home: Home, door: str, name: str
) -> None:
    # The user has removed the entity's own name from its names in Assist.
    er.async_get(hass).async_update_entity(door, aliases=["Haustür"])
    await hass.async_block_till_done()
    assert (await look(home, camera=name))["seen"] == SEEN


@pytest.mark.usefixtures("_seen", "house")
async def test_a_long_name_is_known_as_it_is_listed(
    hass: HomeAssistant, home: Home
) -> None:
    gate = await add_camera(hass, name=LONG)
    async_expose_entity(hass, "conversation", gate, should_expose=True)
    listed = (await look(home, camera="Gate")).split('"')[1]
    assert listed.endswith("…")
    assert (await look(home, camera=listed))["seen"] == SEEN


@pytest.mark.usefixtures("_seen")
async def test_a_listed_name_of_two_cameras_is_not_enough(
    hass: HomeAssistant, home: Home, door: str
) -> None:
    other = await add_camera(hass, name="Back door")
    async_expose_entity(hass, "conversation", other, should_expose=True)
    registry = er.async_get(hass)
    registry.async_update_entity(door, aliases=["Haustür"])
    registry.async_update_entity(other, name="Front door", aliases=["Hintertür"])
    await hass.async_block_till_done()
    assert "Several cameras have this name." in await look(home, camera="Front door")


@pytest.mark.usefixtures("_seen", "door")
async def test_a_hidden_camera_is_unknown_by_any_name(
    hass: HomeAssistant, home: Home
) -> None:
    await add_camera(hass, name="Bedroom")
    assert "No camera has this name." in await look(home, camera="BEDROOM")
