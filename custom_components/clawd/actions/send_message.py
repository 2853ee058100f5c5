"""Action `clawd.send_message`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.attachments import async_encode, async_resolve_files
from ..assist.requirements import async_require_hello
from ..const import DOMAIN
from ..error_mapping import action_error
from ..gateway import QUEUED, GatewayError, Message, RequestFailedError
from .common import (
    ATTR_CHANNEL,
    ATTR_CONFIG_ENTRY,
    ATTR_TARGET,
    ATTR_TEXT,
    MEDIA,
    NOT_BLANK,
    async_get_entry,
    openclaw_required_error,
)

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

    from ..coordinator import ClawdConfigEntry

SERVICE_SEND_MESSAGE: Final = "send_message"
ATTR_ATTACHMENT: Final = "attachment"

SCHEMA: Final = vol.All(
    vol.Schema(
        {
            vol.Optional(ATTR_CONFIG_ENTRY): cv.string,
            vol.Optional(ATTR_CHANNEL): NOT_BLANK,
            vol.Required(ATTR_TARGET): NOT_BLANK,
            vol.Optional(ATTR_TEXT): NOT_BLANK,
            vol.Optional(ATTR_ATTACHMENT): MEDIA,
        }
    ),
    cv.has_at_least_one_key(ATTR_TEXT, ATTR_ATTACHMENT),
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_SEND_MESSAGE,
        partial(_async_send_message, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_send_message(
    hass: HomeAssistant, call: ServiceCall
) -> ServiceResponse:
    """Send a message on a channel.

    Raises:
        HomeAssistantError: it was not sent.

    """
    entry = async_get_entry(hass, call)
    # The entry has none when it is unloaded meanwhile.
    client = entry.runtime_data.client
    try:
        message = await _async_message(hass, entry, call)
        message_id = await client.messages.send(message)
    except RequestFailedError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=(
                "message_queued" if err.code == QUEUED else "message_refused"
            ),
            translation_placeholders={"code": str(err.code)},
        ) from err
    except GatewayError as err:
        raise action_error(err) from err
    return {"message_id": message_id}


async def _async_message(
    hass: HomeAssistant, entry: ClawdConfigEntry, call: ServiceCall
) -> Message:
    data = call.data
    hello = await async_require_hello(entry)
    if ATTR_ATTACHMENT in data and not hello.can_send_files:
        raise openclaw_required_error(ATTR_ATTACHMENT)
    # Before the entry may be unloaded, while a camera takes a picture.
    default = entry.runtime_data.coordinator.agents.default
    media = [data[ATTR_ATTACHMENT]] if ATTR_ATTACHMENT in data else []
    files = await async_resolve_files(hass, media, call.context)
    encoded = await async_encode(hass, files, hello)
    file = encoded[0] if encoded else None
    return Message(
        data[ATTR_TARGET],
        data.get(ATTR_TEXT, ""),
        data.get(ATTR_CHANNEL),
        file.content if file else None,
        file.mime_type if file else None,
        file.name if file else None,
        default if hello.can_name_agent else None,
    )
