"""AI tasks of an entry."""

import asyncio
from pathlib import Path
from typing import Any

from homeassistant.components.ai_task.const import DATA_COMPONENT
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.ai_task import ClawdAITaskEntity
from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.flows.ai_task import new_ai_task

TASK = "ai_task.main_ai_task"
STRUCTURE: dict[str, Any] = {
    "people": {
        "description": "How many",
        "required": True,
        "selector": {"number": {"min": 0, "max": 10}},
    },
    "parcel": {"selector": {"boolean": {}}},
    "names": {"selector": {"text": {"multiple": True}}},
}
RIGHT = '{"people": 2, "parcel": false}'


@pytest.fixture
def settings() -> dict[str, Any]:
    """Return the settings of the AI task; parametrize a test by it to use others."""
    return {}


@pytest.fixture
def more_subentries(settings: dict[str, Any]) -> list[ConfigSubentryData]:
    """Add an AI task."""
    task = new_ai_task(settings.get("agent", "main"), "main")
    return [{**task, "data": {**task["data"], **settings}}]


async def generate(hass: HomeAssistant, **more: Any) -> Any:  # noqa: ANN401 - any data
    """Generate data; return them."""
    response = await hass.services.async_call(
        "ai_task",
        "generate_data",
        {"entity_id": TASK, "task_name": "test", "instructions": "Count.", **more},
        blocking=True,
        return_response=True,
    )
    assert response
    return response["data"]


async def generate_image(hass: HomeAssistant, **more: Any) -> Any:  # noqa: ANN401 - any data
    """Generate an image; return the response."""
    task = {"entity_id": TASK, "task_name": "Cat", "instructions": "A cat."}
    return await hass.services.async_call(
        "ai_task", "generate_image", task | more, blocking=True, return_response=True
    )


def media(entity_id: str) -> list[dict[str, str]]:
    """Return a camera as the attachments of a task."""
    media_id = f"media-source://camera/{entity_id}"
    return [{"media_content_id": media_id, "media_content_type": "image/jpeg"}]


def entity(hass: HomeAssistant) -> ClawdAITaskEntity:
    """Return the AI task."""
    found = hass.data[DATA_COMPONENT].get_entity(TASK)
    assert isinstance(found, ClawdAITaskEntity)
    return found


async def cleaned_up(entry: ClawdConfigEntry) -> None:
    """Wait until the sessions of ended tasks are deleted."""
    while tasks := entry.runtime_data.background_tasks:
        await asyncio.wait(list(tasks))


async def file(hass: HomeAssistant, folder: Path, name: str, content: bytes) -> str:
    """Write a file of the media folder; return its id."""

    def write() -> None:
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    await hass.async_add_executor_job(write)
    return f"media-source://media_source/local/{name}"
