"""Action `clawd.wake`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..assist.session import named_session_key
from ..const import CONF_AGENT, DOMAIN
from ..error_mapping import action_error
from ..gateway import GatewayError
from .common import (
    ATTR_AGENT,
    ATTR_SESSION,
    ATTR_TEXT,
    NOT_BLANK,
    async_get_agent,
    require_openclaw,
)

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

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
        ServiceValidationError: Clawdbot wakes the main session of its agent only.
        HomeAssistantError: the Gateway refused, or is not connected.

    """
    entry, subentry = await async_get_agent(hass, call)
    client, agent = entry.runtime_data.client, subentry.data[CONF_AGENT]
    session = call.data.get(ATTR_SESSION)
    key = named_session_key(agent, session) if session else None
    agents = entry.runtime_data.coordinator.agents
    if key is None and agent != agents.default:
        key = f"agent:{agent.lower()}:main"
    if key:
        require_openclaw(entry)
    try:
        now = call.data[ATTR_WHEN] == NOW
        await client.system.wake(call.data[ATTR_TEXT], now=now, session_key=key)
    except GatewayError as err:
        raise action_error(err) from err
    return {"accepted": True}
