"""AI tasks that make images."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.components import media_source
from homeassistant.components.ai_task import AITaskEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import images
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator

from .ai_tasks import (
    TASK,
    cleaned_up,
    entity,
    generate_image,
    media,
    more_subentries,
    settings,
)
from .assist_client import wait_processed
from .pictures import add_camera, picture
from .states import state_of

pytestmark = pytest.mark.usefixtures("no_deletion_delays", "short_image_polls")

__all__ = ["more_subentries", "settings"]


@pytest.fixture
async def gateway(protocol: int) -> AsyncGenerator[GatewaySimulator]:
    """Run a Gateway that makes images."""
    async with GatewaySimulator(protocol=protocol) as simulator:
        simulator.images.image = picture(8, 8, "PNG")
        yield simulator


async def test_an_image_is_made(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    baseline = entry.runtime_data.listener_baseline

    response = await generate_image(hass)

    assert response["mime_type"] == "image/png"
    source = await media_source.async_resolve_media(
        hass, response["media_source_id"], None
    )
    assert source.path
    made = await hass.async_add_executor_job(source.path.read_bytes)
    assert made == gateway.images.image
    [_, call] = gateway.received("tools.invoke")
    assert call.params["args"] == {"prompt": "A cat."}
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}
    assert entry.runtime_data.listener_baseline == baseline
    assert "task" not in entry.runtime_data.client.introspection.listeners


@pytest.mark.usefixtures("entry")
async def test_an_image_of_an_image_is_refused(hass: HomeAssistant) -> None:
    door = await add_camera(hass)
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass, attachments=media(door))
    assert error.value.translation_key == "image_from_image"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("status", "key"),
    [
        ("failed", "image_failed_because"),
        ("timed_out", "image_failed_because"),
        ("cancelled", "agent_aborted"),
    ],
)
async def test_a_failed_task_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator, status: str, key: str
) -> None:
    gateway.images.status = status
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == key


@pytest.mark.usefixtures("entry")
async def test_a_failure_without_a_reason_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.status = "failed"
    gateway.edit("event task", lambda payload: payload["task"].pop("error", None))
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


@pytest.mark.usefixtures("entry")
async def test_a_lost_event_is_made_up_for(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.edit("event task", lambda payload: payload.clear())
    assert (await generate_image(hass))["mime_type"] == "image/png"
    assert gateway.received("tasks.get")


@pytest.mark.usefixtures("entry")
async def test_a_cancelled_image_is_cancelled_at_the_gateway(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.status = "running"
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_for_request("tasks.get")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [made] = gateway.images.tasks.values()
    assert made["status"] == "cancelled"


@pytest.mark.parametrize("settings", [{"deadline": 1}])
@pytest.mark.usefixtures("entry")
async def test_an_image_that_takes_too_long_is_cancelled(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "DEFAULT_DEADLINE", 0.01)
    gateway.images.status = "running"
    entity(hass).subentry = replace(
        entity(hass).subentry,
        data=MappingProxyType({"agent": "main", "agent_tools": False}),
    )
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "run_stopped"
    statuses = {task["status"] for task in gateway.images.tasks.values()}
    assert statuses <= {"cancelled"}


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "edit",
    [
        ("tools.invoke", lambda payload: payload["output"].pop("details")),
        ("artifacts.list", lambda payload: payload["artifacts"].clear()),
        (
            "artifacts.list",
            lambda payload: payload["artifacts"][0].update(mimeType="audio/wav"),
        ),
        (
            "artifacts.list",
            lambda payload: payload["artifacts"][0].update(mimeType="image/svg+xml"),
        ),
        ("artifacts.download", lambda payload: payload.update(url="//evil/x")),
        ("artifacts.download", lambda payload: payload.update(url="http://evil")),
    ],
    ids=["no task", "no artifact", "a sound", "an SVG", "another host", "another URL"],
)
async def test_an_image_that_is_not_there_is_told(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    edit: tuple[str, Callable[[dict[str, Any]], None]],
) -> None:
    gateway.edit(*edit)
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


@pytest.mark.usefixtures("entry")
async def test_a_sign_in_page_is_no_image(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.http.status = 200
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


@pytest.mark.usefixtures("entry")
async def test_an_image_may_have_an_uncommon_name_of_its_type(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.mime_type = "image/jpg"
    response = await generate_image(hass)
    assert response["media_source_id"].endswith(".jpg")


@pytest.mark.usefixtures("entry")
async def test_an_expired_ticket_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.ticket = "another"
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


@pytest.mark.usefixtures("entry")
async def test_a_download_that_ends_too_early_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.truncated = True
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


@pytest.mark.usefixtures("entry")
async def test_an_image_that_is_too_large_is_told(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_FILE_SIZE", 10)
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_failed"


async def test_the_tool_is_looked_for_after_a_reconnect(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    assert entity(hass).offers_images
    gateway.images.image = None
    gateway.drop()
    await gateway.wait_for_request("tools.invoke", 2)
    await wait_processed(entry)
    await cleaned_up(entry)
    features = state_of(hass, TASK).attributes["supported_features"]
    assert not features & AITaskEntityFeature.GENERATE_IMAGE
    gateway.images.image = b"x"


@pytest.mark.usefixtures("entry")
async def test_a_tool_that_went_away_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.image = None
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "image_tool_missing"


@pytest.mark.usefixtures("entry")
async def test_a_tool_that_fails_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    error_of_tool = {"ok": False, "error": {"code": "internal_error"}}
    gateway.edit("tools.invoke", lambda payload: payload.update(error_of_tool))
    with pytest.raises(HomeAssistantError) as error:
        await generate_image(hass)
    assert error.value.translation_key == "request_failed"


@pytest.mark.usefixtures("entry")
async def test_a_lost_connection_is_told(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.images.status = "running"
    task = hass.async_create_task(generate_image(hass))
    await gateway.wait_for_request("tasks.get")
    await gateway.suspend()
    with pytest.raises(HomeAssistantError) as error:
        await task
    assert error.value.translation_key == "run_lost"


async def test_no_tool_is_offered_where_they_cannot_be_listed(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.edit("tools.invoke", lambda payload: payload.clear())
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert not entity(hass).offers_images


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_makes_no_images(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    assert not entity(hass).offers_images
    assert gateway.received("tools.invoke") == []


async def test_no_image_is_offered_without_an_image_tool(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.images.image = None
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    features = state_of(hass, TASK).attributes["supported_features"]
    assert not features & AITaskEntityFeature.GENERATE_IMAGE
    assert features & AITaskEntityFeature.GENERATE_DATA
    assert features & AITaskEntityFeature.SUPPORT_ATTACHMENTS
