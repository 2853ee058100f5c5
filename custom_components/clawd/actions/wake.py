"""Action `clawd.wake`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.requirements import async_require_agent
from ..assist.rights import is_restricted
from ..assist.session_settings import async_set_session
from ..assist.session_turns import async_take_named_turn
from ..const import CONF_AGENT, CONF_IDLE_TIMEOUT, DOMAIN
from ..error_mapping import action_error
from ..gateway import GatewayError
from .common import (
    ATTR_AGENT,
    ATTR_SESSION,
    ATTR_TEXT,
    NOT_BLANK,
    async_get_agent,
    openclaw_required_error,
    read_session_name,
)

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import Context, HomeAssistant, ServiceCall, ServiceResponse

SERVICE_WAKE: Final = "wake"
ATTR_WHEN: Final = "when"
NOW: Final = "now"
NEXT_HEARTBEAT: Final = "next_heartbeat"

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_AGENT): cv.entity_id,
        vol.Required(ATTR_TEXT): NOT_BLANK,
        vol.Optional(ATTR_WHEN, default=NOW): vol.In((NOW, NEXT_HEARTBEAT)),
        vol.Optional(ATTR_SESSION): NOT_BLANK,
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_WAKE,
        partial(_async_wake, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_wake(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Give an agent something to think of.

    Raises:
        ServiceValidationError: Clawdbot wakes the main session of its agent only, or
            the name is reserved.
        HomeAssistantError: the agent is gone, the Gateway refused, or is not connected,
            or the session is busy.
        Unauthorized: the user has less rights than the main session.

    """
    entry, subentry = await async_get_agent(hass, call)
    client, coordinator = entry.runtime_data.client, entry.runtime_data.coordinator
    agent = subentry.data[CONF_AGENT]
    wake = partial(
        client.system.wake, call.data[ATTR_TEXT], now=call.data[ATTR_WHEN] == NOW
    )
    name, main = read_session_name(call), None
    if not name:
        await _async_require_rights(hass, subentry, call.context)
    try:
        # The error of the Gateway would not name it.
        await async_require_agent(coordinator, subentry)
        if not name and agent != coordinator.agents.default:
            main = f"agent:{agent.lower()}:main"
        hello = client.hello
        if (name or main) and hello and not hello.can_wake_sessions:
            raise openclaw_required_error(ATTR_SESSION if name else ATTR_AGENT)
        if name:
            timeout = subentry.data[CONF_IDLE_TIMEOUT]
            turn = async_take_named_turn(entry, subentry, name, timeout)
            # Its rights do not change under a run.
            async with turn as session:
                await async_set_session(entry, subentry, session)
                await wake(session_key=session.key)
        else:
            named = hello is not None and hello.can_name_agent
            await wake(session_key=main, agent=agent if named else None)
    except GatewayError as err:
        raise action_error(err) from err
    return {"accepted": True}


async def _async_require_rights(
    hass: HomeAssistant, subentry: ConfigSubentry, context: Context
) -> None:
    """Check the user's rights for the main session.

    The main session is not restricted, as it belongs to the owner of the Gateway.
    Automations have no user.

    Raises:
        Unauthorized: the user is no administrator, and the agent restricts them.

    """
    if context.user_id is None or not is_restricted(subentry):
        return
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or not user.is_admin:
        raise Unauthorized(context=context)
