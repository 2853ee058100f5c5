"""Action `clawd.ask`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
import voluptuous as vol

from ..assist.errors import translated_error
from ..assist.generation import DELIVERY_FAILED, async_generate
from ..const import DOMAIN
from ..device_automation.events import (
    AgentEvent,
    async_fire_agent_event,
    describe_results,
)
from .common import QUESTION, answer_response, async_get_agent, async_read_question

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

SERVICE_ASK: Final = "ask"


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_ASK,
        partial(_async_ask, hass),
        vol.Schema(QUESTION),
        SupportsResponse.OPTIONAL,
    )


async def _async_ask(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Ask an agent and return the reply.

    Its run is stopped when the action is cancelled.

    Raises:
        HomeAssistantError: there is no answer, or it could not be sent and no caller
            sees the response that says so.

    """
    entry, subentry = await async_get_agent(hass, call)
    # The entry has none when it is unloaded meanwhile.
    coordinator = entry.runtime_data.coordinator
    task = await async_read_question(hass, entry, subentry, call)
    answer = await async_generate(hass, coordinator, subentry, task)
    async_fire_agent_event(
        hass,
        entry,
        subentry,
        AgentEvent.REPLY,
        describe_results(*answer.results),
        context=call.context,
    )
    if answer.delivery == DELIVERY_FAILED and not call.return_response:
        raise translated_error("delivery_failed")
    return answer_response(answer)
