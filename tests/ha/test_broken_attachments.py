"""Broken attachments and failing sources."""

import asyncio
from base64 import b64decode
from io import BytesIO
import logging
from pathlib import Path
import struct
from typing import Any

from homeassistant.components import media_source
from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.components.image import ImageEntity
from homeassistant.components.image.const import DATA_COMPONENT as IMAGES
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from PIL import Image, ImageOps
import pytest

from custom_components.clawd.assist import attachments
from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Reply

from .ai_tasks import file
from .pictures import Door, add_camera, picture
from .states import AGENT

SECRET = "http://user:secret@192.0.2.9/snap"

pytestmark = pytest.mark.usefixtures("entry")


async def ask(hass: HomeAssistant, *media: str | dict[str, Any]) -> None:
    """Ask about attachments."""
    data = {"agent": AGENT, "text": "Hi", "attachments": list(media)}
    await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )


async def refused(hass: HomeAssistant, *media: str | dict[str, Any]) -> str:
    """Ask about an attachment of no use; return the key of the error."""
    with pytest.raises(HomeAssistantError) as error:
        await ask(hass, *media)
    assert error.value.translation_domain == DOMAIN
    assert error.value.__cause__ is None
    assert "secret" not in str(error.value)
    return str(error.value.translation_key)


@pytest.mark.parametrize(("width", "height"), [(70_000, 10), (3, 100_000)])
async def test_a_picture_longer_than_a_jpeg_is_scaled(
    hass: HomeAssistant, gateway: GatewaySimulator, width: int, height: int
) -> None:
    stream = BytesIO()
    Image.new("RGB", (width, height)).save(stream, "PNG")
    door = await add_camera(hass, stream.getvalue())
    gateway.script(Reply("A line."))
    await ask(hass, door)
    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    shown = Image.open(BytesIO(b64decode(sent["content"])))
    assert max(shown.size) == 16_000
    assert min(shown.size) >= 1


@pytest.mark.parametrize("error", [struct.error("unpack"), RuntimeError(SECRET)])
async def test_a_decoder_may_raise_anything(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def fail(_: Image.Image) -> Image.Image:
        raise error

    monkeypatch.setattr(ImageOps, "exif_transpose", fail)
    assert await refused(hass, await add_camera(hass)) == "attachment_unreadable"
    assert gateway.received("agent") == []


@pytest.mark.parametrize("kind", ["EPS", "PCX", "PPM"])
async def test_a_rare_format_is_not_read(
    hass: HomeAssistant, gateway: GatewaySimulator, kind: str
) -> None:
    door = await add_camera(hass, picture(8, 8, kind))
    assert await refused(hass, door) == "attachment_unreadable"
    assert gateway.received("agent") == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "MPO"])
async def test_a_usual_format_is_read(
    hass: HomeAssistant, gateway: GatewaySimulator, kind: str
) -> None:
    gateway.script(Reply("Noise."))
    await ask(hass, await add_camera(hass, picture(8, 8, kind)))
    assert len(gateway.received("agent")) == 1


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        HomeAssistantError(SECRET),
        HomeAssistantError(
            translation_domain="camera",
            translation_key="x",
            translation_placeholders={"error": SECRET},
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "media-source://camera/"])
async def test_the_text_of_a_camera_is_not_told(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    prefix: str,
) -> None:
    caplog.set_level(logging.DEBUG, "custom_components.clawd")
    door = await add_camera(hass)
    camera = hass.data[DATA_COMPONENT].get_entity(door)
    assert isinstance(camera, Door)
    camera.error = error
    assert await refused(hass, prefix + door) == "attachment_missing"
    assert "secret" not in caplog.text
    assert gateway.received("agent") == []


@pytest.mark.parametrize(
    "media_id",
    [
        *("", "hello", "media-source://", "media-source://camera/"),
        *("media-source://nope/x", "http://x/y.jpg", "/config/secrets.yaml"),
        *("camera.unknown", "media-source://media_source/local/../../passwd"),
    ],
)
async def test_a_source_that_is_none_is_told(
    hass: HomeAssistant, media_id: str
) -> None:
    assert await refused(hass, media_id) == "attachment_missing"


async def test_a_source_that_never_answers_is_told(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(media_source, "async_resolve_media", hang)
    monkeypatch.setattr(attachments, "RESOLVE_TIMEOUT", 0)
    assert await refused(hass, "media-source://dlna/x") == "attachment_missing"


async def test_a_type_that_is_no_text_is_read_as_one(
    hass: HomeAssistant, gateway: GatewaySimulator, tmp_path: Path
) -> None:
    media_id = await file(hass, tmp_path, "x.txt", b"Milk")
    gateway.script(Reply("Milk."))
    await ask(hass, {"media_content_id": media_id, "media_content_type": 5})
    [request] = gateway.received("chat.send")
    [sent] = request.params["attachments"]
    assert sent["mimeType"] == "5"


class Map(ImageEntity):
    """Map of a vacuum cleaner."""

    _attr_name = "Map"
    _attr_unique_id = "map"
    _attr_content_type = "image/png"

    async def async_image(self) -> bytes:
        """Return the picture."""
        return picture(8, 8)


async def test_an_image_entity_gives_its_picture(
    hass: HomeAssistant, gateway: GatewaySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await async_setup_component(hass, "image", {})
    await hass.data[IMAGES].async_add_entities([Map(hass)])
    gateway.script(Reply("A map."))
    await ask(hass, "image.map")
    [request] = gateway.received("agent")
    [sent] = request.params["attachments"]
    assert sent["mimeType"] == "image/jpeg"
    monkeypatch.setattr(attachments, "MAX_FILE_SIZE", 5)
    assert await refused(hass, "image.map") == "attachment_too_large"


async def test_an_entity_id_may_have_capitals(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    # As in each action of Home Assistant.
    await add_camera(hass)
    gateway.script(Reply("A door."))
    await ask(hass, "Camera.Front_Door")
    [request] = gateway.received("agent")
    assert len(request.params["attachments"]) == 1
