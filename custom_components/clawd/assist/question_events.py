"""Events by which automations hear of an agent's questions."""

from collections import deque
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import EVENT_QUESTION
from ..device_automation.events import AgentEvent, async_fire_agent_event
from ..util.domain_data import get_domain_data

if TYPE_CHECKING:
    from ..coordinator import ClawdConfigEntry
    from .open_question import OpenQuestion

# Questions whose event was fired, which are open again after a reload.
MAX_FIRED: Final = 32

# Ids of questions; not in `AgentQuestions`, which a reload replaces.
_FIRED: Final[HassKey[deque[str]]] = HassKey("fired_questions")


@callback
def async_ask_automations(hass: HomeAssistant, one: OpenQuestion) -> None:
    """Fire the event of a question that automations may answer."""
    item = one.item
    hass.bus.async_fire(
        EVENT_QUESTION,
        {
            "question_id": one.request.id,
            "agent": one.origin.subentry.title,
            "header": item.header,
            "question": item.text,
            "options": [choice.label for choice in item.choices],
            "multiple": item.multi_select,
            "expires_at": one.expires_at,
        },
    )


@callback
def async_fire_opened(
    hass: HomeAssistant, entry: ClawdConfigEntry, one: OpenQuestion
) -> None:
    """Fire the agent's event, unless the question was open before a reload."""
    fired = get_domain_data(entry).setdefault(_FIRED, deque(maxlen=MAX_FIRED))
    if one.request.id in fired:
        return
    fired.append(one.request.id)
    async_fire_agent_event(
        hass,
        entry,
        one.origin.subentry,
        AgentEvent.QUESTION,
        {"question_id": one.request.id, "expires_at": one.expires_at},
    )
