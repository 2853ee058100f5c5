"""Camera that a test looks through."""

from io import BytesIO
from typing import override

from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.helpers.typing import ConfigType, DiscoveryInfoType
from PIL import Image

# More than a model is shown.
SIZE = (2400, 1800)


async def async_setup_platform(
    hass: HomeAssistant,  # noqa: ARG001 - Home Assistant's signature
    config: ConfigType,  # noqa: ARG001 - the same
    async_add_entities: AddEntitiesCallback,
    discovery_info: DiscoveryInfoType | None = None,  # noqa: ARG001 - the same
) -> None:
    """Add the camera."""
    async_add_entities([Peephole()])


class Peephole(Camera):
    """Camera at the front door."""

    _attr_name = "Front door"
    _attr_unique_id = "peephole"

    @override
    def camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes | None:
        """Return a picture."""
        stream = BytesIO()
        Image.new("RGB", SIZE, "green").save(stream, "JPEG")
        return stream.getvalue()
