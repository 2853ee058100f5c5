"""Camera pictures start no agent run."""

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.clawd.assist.attachments import File
from custom_components.clawd.assist.generation import async_generate
from custom_components.clawd.assist.turns import Task
from tests.ha.pictures import add_camera
from tests.simulator import GatewaySimulator, Reply

from .harness import Home
from .test_looking import SEEN, look

pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.parametrize("content_type", ["application/pdf", "text/html", "", "IMAGE/"])
async def test_a_picture_stays_one_whatever_its_camera_says(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator, content_type: str
) -> None:
    door = await add_camera(hass)
    async_expose_entity(hass, "conversation", door, should_expose=True)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    assert camera is not None
    camera.content_type = content_type
    gateway.script(Reply(SEEN))

    assert (await look(home))["seen"] == SEEN

    assert gateway.received("chat.send") == []
    [request] = gateway.received("agent")
    assert request.params["modelRun"] is True
    [sent] = request.params["attachments"]
    assert sent["mimeType"] == "image/jpeg"


@pytest.mark.parametrize("home_settings", [{"agent": "kitchen"}])
async def test_a_model_that_sees_nothing_is_not_shown_it_either(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    async_expose_entity(hass, "conversation", door, should_expose=True)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    assert camera is not None
    camera.content_type = "application/pdf"
    assert (await look(home)).startswith("NOT_SEEN: The model Thinker ")
    assert gateway.received("agent") == []
    assert gateway.received("chat.send") == []


@pytest.mark.parametrize(
    "task",
    [
        Task(text="Hi", model_only=True, with_tools=True),
        Task(text="Hi", model_only=True, files=(File("text/plain", "a", b"a"),)),
    ],
    ids=["tools", "file"],
)
async def test_what_is_for_the_model_alone_starts_no_agent(
    hass: HomeAssistant, home: Home, gateway: GatewaySimulator, task: Task
) -> None:
    coordinator = home.entry.runtime_data.coordinator
    subentry = home.entry.subentries[home.subentry_id]
    with pytest.raises(HomeAssistantError) as error:
        await async_generate(hass, coordinator, subentry, task)
    assert error.value.translation_key == "needs_model_alone"
    assert gateway.received("agent") == []
    assert gateway.received("chat.send") == []
