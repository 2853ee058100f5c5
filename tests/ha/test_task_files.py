"""Files of started tasks."""

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.clawd.actions import start_task
from custom_components.clawd.assist.attachments import File
from custom_components.clawd.assist.generation import async_generate
from custom_components.clawd.assist.turns import Task
from custom_components.clawd.const import DOMAIN, SUBENTRY_CONVERSATION
from custom_components.clawd.coordinator import ClawdConfigEntry, subentries_of_type
from tests.simulator import GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up
from .pictures import Door, add_camera, picture
from .states import AGENT


async def start(hass: HomeAssistant, **fields: object) -> None:
    """Start a task."""
    data = {"agent": AGENT, "text": "Hi", **fields}
    await hass.services.async_call(DOMAIN, "start_task", data, blocking=True)


async def test_no_file_is_read_for_a_task_too_many(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_task, "MAX_TASKS", 1)
    door = await add_camera(hass)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    assert isinstance(camera, Door)
    camera.error = OSError("not to be asked")
    gateway.script(Pause(), Reply("Done."))
    await start(hass)
    with pytest.raises(ServiceValidationError) as error:
        await start(hass, attachments=[door])
    assert error.value.translation_key == "too_many_tasks"
    await gateway.wait_paused()
    gateway.proceed()
    await cleaned_up(entry)


async def test_files_are_not_kept_while_an_agent_works(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Noise."))
    [subentry] = subentries_of_type(entry, SUBENTRY_CONVERSATION)
    files = (File("image/png", "a.png", picture(8, 8, "PNG")),)
    task = Task(text="Hi", files=files, with_tools=True)
    running = hass.async_create_task(
        async_generate(hass, entry.runtime_data.coordinator, subentry, task)
    )
    await gateway.wait_paused()
    assert task.files == ()
    gateway.proceed()
    assert (await running).text == "Noise."
    await cleaned_up(entry)
