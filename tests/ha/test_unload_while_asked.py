"""Questions and tasks during an unload."""

import asyncio
from typing import Any

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task
from tests.simulator import GatewaySimulator, Pause, Reply

from .ai_tasks import cleaned_up, generate_image
from .assist_client import wait_processed
from .pictures import add_camera, picture
from .states import AGENT

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

QUESTION = {"agent": AGENT, "text": "Hello"}
FINISHED = "clawd_task_finished"


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Add an AI task."""
    return [new_ai_task("main", "main")]


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:  # noqa: ANN401
    """Call an action; return its response."""
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


async def unload(hass: HomeAssistant, entry: ClawdConfigEntry) -> None:
    """Unload the Gateway."""
    await wait_processed(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("action", "data", "key"),
    [
        ("ask", {**QUESTION, "attachments": "{}"}, "not_connected"),
        (
            "start_task",
            {**QUESTION, "attachments": "{}"},
            "service_config_entry_not_loaded",
        ),
        ("send_message", {"target": "42", "attachment": "{}"}, "not_connected"),
    ],
)
async def test_while_a_camera_takes_a_picture(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    data: dict[str, Any],
    key: str,
) -> None:
    door = await add_camera(hass)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    taking, unloaded = asyncio.Event(), asyncio.Event()

    async def take(**_: object) -> bytes:
        taking.set()
        await unloaded.wait()
        return picture(8, 8)

    monkeypatch.setattr(camera, "async_camera_image", take)
    events = async_capture_events(hass, FINISHED)
    fields = {name: value.format(door) for name, value in data.items()}
    task = hass.async_create_task(call(hass, action, **fields))
    await taking.wait()
    await unload(hass, entry)
    unloaded.set()
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == key
    assert events == []
    assert gateway.received("agent") == gateway.received("send") == []


async def test_while_the_agent_answers(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply("Late."))
    task = hass.async_create_task(call(hass, "ask", **QUESTION))
    await gateway.wait_paused()
    await unload(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "run_lost"
    # The next setup finds what is left.
    assert await hass.config_entries.async_setup(entry.entry_id)
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


async def test_while_a_picture_is_made(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.images.image = picture(8, 8, "PNG")
    await hass.config_entries.async_reload(entry.entry_id)
    gateway.images.status = "running"
    gateway.hold("tools.invoke")
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_until(lambda: len(gateway.received("tools.invoke")) == 2)
    await unload(hass, entry)
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "run_lost"


@pytest.mark.parametrize("fields", [{}, {"session": "us"}, {"attachments": "camera"}])
async def test_while_the_agents_are_looked_up(
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, str],
) -> None:
    if "attachments" in fields:
        fields = {"attachments": await add_camera(hass)}
    found, unloaded = asyncio.Event(), asyncio.Event()

    async def require(*_: object) -> None:
        found.set()
        await unloaded.wait()

    module = "custom_components.clawd.assist.turns"
    monkeypatch.setattr(f"{module}.async_require_agent", require)
    task = hass.async_create_task(call(hass, "ask", **QUESTION, **fields))
    await found.wait()
    await unload(hass, entry)
    unloaded.set()
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "not_connected"
    assert gateway.received("agent") == []
