"""Action `clawd.new_conversation`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.new_conversation import async_new_conversation, async_new_conversations
from ..assist.session import Scope, SessionContext, named_session_key, session_key
from ..const import CONF_AGENT, CONF_SESSION_SCOPE, DOMAIN
from .common import (
    ATTR_AGENT,
    ATTR_SESSION,
    NOT_BLANK,
    async_get_agent,
    read_session_name,
)

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

SERVICE_NEW_CONVERSATION: Final = "new_conversation"
ATTR_DEVICE: Final = "device"

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_AGENT): cv.entity_id,
        vol.Exclusive(ATTR_SESSION, "session"): NOT_BLANK,
        vol.Exclusive(ATTR_DEVICE, "session"): NOT_BLANK,
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_NEW_CONVERSATION,
        partial(_async_new_conversation, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_new_conversation(
    hass: HomeAssistant, call: ServiceCall
) -> ServiceResponse:
    """Start new conversations with an agent.

    In all of its sessions, unless one is named.

    Raises:
        ServiceValidationError: the agent has no session for each device, or the name
            is reserved.

    """
    entry, subentry = await async_get_agent(hass, call)
    if name := read_session_name(call):
        key = named_session_key(subentry.data[CONF_AGENT], name)
        used = await async_new_conversation(hass, entry, subentry, key, named=True)
    elif device := call.data.get(ATTR_DEVICE):
        key = _device_session_key(subentry, device)
        used = await async_new_conversation(hass, entry, subentry, key, named=False)
    else:
        used = await async_new_conversations(hass, entry, subentry)
    return {"sessions": used}


def _device_session_key(subentry: ConfigSubentry, device: str) -> str:
    settings = subentry.data
    if settings[CONF_SESSION_SCOPE] not in (Scope.DEVICE, Scope.DEVICE_OR_USER):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="session_unclear"
        )
    context = SessionContext(subentry.subentry_id, "", device, None)
    return session_key(settings[CONF_AGENT], Scope.DEVICE, context)
