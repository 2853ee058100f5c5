"""AI tasks about pictures and files."""

from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from PIL import Image
import pytest

from custom_components.clawd.assist import attachments as attachments_module
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import (
    RIGHT,
    STRUCTURE,
    cleaned_up,
    file,
    generate,
    media,
    more_subentries,
    settings,
)
from .pictures import add_camera, picture

pytestmark = pytest.mark.usefixtures("no_deletion_delays", "short_image_polls")

__all__ = ["more_subentries", "settings"]


@pytest.mark.usefixtures("entry")
async def test_a_picture_is_scaled_and_loses_its_metadata(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    content = picture(3000, 2000)
    door = await add_camera(hass, content)
    gateway.script(Reply(RIGHT))

    await generate(hass, structure=STRUCTURE, attachments=media(door))

    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    assert sent["mimeType"] == "image/jpeg"
    assert "door" not in sent["fileName"]
    shown = Image.open(BytesIO(b64decode(sent["content"])))
    assert (shown.format, shown.width, shown.height) == ("JPEG", 1500, 1000)
    assert len(shown.getexif()) == 0


@pytest.mark.usefixtures("entry")
async def test_pictures_keep_their_order(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    attachments = []
    for width in range(1, 21):
        content = picture(width, 1, "PNG")
        media_id = await file(hass, tmp_path, f"{width}.png", content)
        attachments.append(
            {"media_content_id": media_id, "media_content_type": "image/png"}
        )
    await generate(hass, attachments=attachments)
    [request] = gateway.received("agent")
    sent = [
        Image.open(BytesIO(b64decode(file["content"]))).width
        for file in request.params["attachments"]
    ]
    assert sent == list(range(1, 21))


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_pictures_fit_in_what_clawdbot_takes(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass, picture(2000, 1000))
    gateway.script(Reply(RIGHT))
    assert await generate(hass, structure=STRUCTURE, attachments=media(door) * 4)
    [request] = gateway.received("agent")
    assert "modelRun" not in request.params
    assert request.params["sessionKey"].startswith("agent:main:ha-task-")
    size = sum(len(file["content"]) for file in request.params["attachments"])
    assert 100_000 < size < gateway.max_payload * 0.7
    assert gateway.received("sessions.delete") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_more_pictures_than_clawdbot_takes_are_refused(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass, picture(1000, 1000))
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=media(door) * 60)
    assert error.value.translation_key == "attachments_too_large"
    assert error.value.translation_placeholders == {"limit": "0.3"}
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("settings", [{"agent": "kitchen"}, {"model": "mock/thinker"}])
async def test_a_model_that_sees_nothing_is_not_shown_a_picture(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=media(door))
    assert error.value.translation_key == "model_without_sight"
    assert error.value.translation_placeholders == {"model": "Thinker"}
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("settings", [{"agent": "kitchen", "model": "mock/mock"}])
async def test_the_chosen_model_is_asked(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.edit("models.list", lambda payload: payload.pop("models"))
    door = await add_camera(hass)
    gateway.script(Reply("One."))
    assert await generate(hass, attachments=media(door)) == "One."
    [patch] = gateway.received("sessions.patch")
    [request] = gateway.received("agent")
    assert patch.params["model"] == "mock/mock"
    assert patch.params["key"] == request.params["sessionKey"]


@pytest.mark.usefixtures("entry")
async def test_a_model_of_no_known_agent_may_see(
    hass: HomeAssistant, entry: ClawdConfigEntry, gateway: GatewaySimulator
) -> None:
    door = await add_camera(hass)
    agents = entry.runtime_data.coordinator.agents
    unknown = [replace(agent, model=None) for agent in agents.agents]
    entry.runtime_data.coordinator.agents = replace(agents, agents=tuple(unknown))
    gateway.script(Reply("One."))
    assert await generate(hass, attachments=media(door)) == "One."


@pytest.mark.parametrize(
    ("name", "kind"), [("note.txt", "text/plain"), ("paper.pdf", "application/pdf")]
)
async def test_other_files_go_to_the_agent(  # noqa: PLR0913, PLR0917 - a matrix
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    tmp_path: Path,
    name: str,
    kind: str,
) -> None:
    media_id = await file(hass, tmp_path, name, b"The milk is out.")
    door = await add_camera(hass)
    gateway.script(Reply(RIGHT))
    attachments = [
        {"media_content_id": media_id, "media_content_type": kind},
        *media(door),
    ]
    data = await generate(hass, structure=STRUCTURE, attachments=attachments)
    assert data["people"] == 2
    [request] = gateway.received("chat.send")
    kinds = [file["mimeType"] for file in request.params["attachments"]]
    assert kinds == [kind, "image/jpeg"]
    assert request.params["message"].startswith("A person asks this")
    await cleaned_up(entry)
    assert gateway.runs.sessions == {}


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
async def test_other_files_are_refused_where_they_would_be_dropped(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "note.txt", b"The milk is out.")
    attachments = [{"media_content_id": media_id, "media_content_type": "text/plain"}]
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=attachments)
    assert error.value.translation_key == "files_unsupported"
    assert error.value.translation_placeholders == {"number": "1", "type": "text/plain"}
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
async def test_a_file_larger_than_a_frame_is_refused(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "note.txt", b"x" * 15_000_000)
    attachments = [{"media_content_id": media_id, "media_content_type": "text/plain"}]
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=attachments)
    assert error.value.translation_key == "attachments_too_large"
    assert gateway.received("chat.send") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"no picture", "attachment_unreadable"),
        (picture(64, 48)[:300], "attachment_unreadable"),
        (None, "attachment_missing"),
        (b"larger", "attachment_too_large"),
        (b"more pixels", "picture_too_large"),
    ],
)
async def test_a_picture_of_no_use_is_told_before_it_is_sent(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    key: str,
) -> None:
    if content == b"larger":
        monkeypatch.setattr(attachments_module, "MAX_FILE_SIZE", 5)
    if content == b"more pixels":
        monkeypatch.setattr(attachments_module, "MAX_DECODED_PIXELS", 5)
        content = picture(3, 2)
    media_id = await file(hass, tmp_path, "a.jpg", content or b"")
    if content is None:
        (tmp_path / "a.jpg").unlink()
    attachments = [
        {"media_content_id": media_id, "media_content_type": "image/jpeg; x=y"}
    ]
    with pytest.raises(HomeAssistantError) as error:
        await generate(hass, attachments=attachments)
    assert error.value.translation_key == key
    assert error.value.translation_placeholders
    assert error.value.translation_placeholders["number"] == "1"
    assert gateway.received("agent") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/html"])
async def test_a_camera_of_a_task_gives_a_picture_whatever_it_says(
    hass: HomeAssistant, gateway: GatewaySimulator, content_type: str
) -> None:
    door = await add_camera(hass)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    assert camera
    camera.content_type = content_type
    gateway.script(Reply(RIGHT))
    await generate(hass, structure=STRUCTURE, attachments=media(door))
    # Not by the agent with its tools, as other files.
    assert gateway.received("chat.send") == []
    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    assert sent["mimeType"] == "image/jpeg"
