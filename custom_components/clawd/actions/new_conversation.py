"""Action `clawd.new_conversation`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.ask import Question, async_take_turn, session_key_for
from ..assist.session import Scope, named_session_key
from ..const import CONF_AGENT, CONF_IDLE_TIMEOUT, CONF_SESSION_SCOPE, DOMAIN
from ..error_mapping import action_error
from ..gateway import GatewayError
from .common import (
    ATTR_AGENT,
    ATTR_SESSION,
    NOT_BLANK,
    async_get_agent,
    require_openclaw,
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
        vol.Exclusive(ATTR_DEVICE, "session"): cv.string,
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
    """Delete a session, so that the next question starts a new one.

    Raises:
        ServiceValidationError: it is not clear which session, or the Gateway cannot.
        HomeAssistantError: the Gateway refused, or is not connected.

    """
    entry, subentry = await async_get_agent(hass, call)
    require_openclaw(entry)
    key, runtime = _session_key(subentry, call), entry.runtime_data
    timeout = subentry.data[CONF_IDLE_TIMEOUT]
    async with async_take_turn(runtime, subentry, key, timeout):
        try:
            deleted = await runtime.client.sessions.delete(key)
        except GatewayError as err:
            raise action_error(err) from err
        # The new session does not have the chosen model.
        runtime.session_models.pop(key, None)
    return {"deleted": deleted}


def _session_key(subentry: ConfigSubentry, call: ServiceCall) -> str:
    if name := call.data.get(ATTR_SESSION):
        return named_session_key(subentry.data[CONF_AGENT], name)
    device, user = call.data.get(ATTR_DEVICE), call.context.user_id
    lasting = {
        Scope.DEVICE: device is not None,
        Scope.USER: user is not None,
        Scope.SHARED: True,
        Scope.NAMED: True,
    }
    if not lasting.get(Scope(subentry.data[CONF_SESSION_SCOPE])):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="session_unclear"
        )
    question = Question(
        text="", conversation_id="", language="", device_id=device, user_id=user
    )
    return session_key_for(subentry, question)
