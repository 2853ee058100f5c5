"""Pictures of cameras and image entities."""

from typing import TYPE_CHECKING

from homeassistant.const import Platform
from homeassistant.core import split_entity_id

from ..const import LOGGER

if TYPE_CHECKING:
    from homeassistant.components import camera, image
    from homeassistant.core import HomeAssistant


type Picture = camera.Image | image.Image


class NoPictureError(Exception):
    """No picture of an entity."""


async def async_take_picture(hass: HomeAssistant, entity_id: str) -> Picture:
    """Take a picture of an entity.

    Raises:
        NoPictureError: it gives none.

    """
    # Importing them loads libraries, with an error in the log where they are missing.
    from homeassistant.components import camera, image  # noqa: PLC0415

    is_camera = split_entity_id(entity_id)[0] == Platform.CAMERA
    try:
        if is_camera:
            return await camera.async_get_image(hass, entity_id)
        return await image.async_get_image(hass, entity_id)
    except Exception as err:  # noqa: BLE001 - other integrations raise anything
        # The message may hold addresses and passwords.
        LOGGER.debug("No picture of an entity: %s", type(err).__name__)
    raise NoPictureError
