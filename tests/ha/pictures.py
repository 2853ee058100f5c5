"""Pictures, and cameras that show them."""

from io import BytesIO
from typing import override

from homeassistant.components.camera import DATA_COMPONENT, Camera
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from PIL import Image


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    """Return a picture that is hard to compress."""
    stream = BytesIO()
    noise = Image.effect_noise((width, height), 100).convert("RGB")
    noise.save(stream, kind)
    return stream.getvalue()


class Door(Camera):
    """Camera at a door.

    Attributes:
        error: raised in place of a picture.

    """

    error: Exception | None = None

    def __init__(self, content: bytes | None, name: str, *, is_on: bool) -> None:
        """Show a picture."""
        super().__init__()
        self._attr_name = name
        self._attr_unique_id = name
        self._attr_is_on = is_on
        self._content = content

    @override
    async def async_camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        """Return the picture."""
        if self.error:
            raise self.error
        return self._content


async def add_camera(
    hass: HomeAssistant,
    content: bytes | None = None,
    *,
    name: str = "Front door",
    is_on: bool = True,
) -> str:
    """Add a camera; return its entity id."""
    assert await async_setup_component(hass, "camera", {})
    door = Door(picture(64, 48) if content is None else content, name, is_on=is_on)
    await hass.data[DATA_COMPONENT].async_add_entities([door])
    return str(door.entity_id)
