"""Action `clawd.answer`."""

from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.core import SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import voluptuous as vol

from ..assist.agent_questions import get_agent_questions
from ..assist.question_events import async_ask_automations
from ..const import DOMAIN
from ..error_mapping import action_error
from ..gateway import GatewayError, RequestFailedError

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse

    from ..assist.agent_questions import AgentQuestions
    from ..assist.open_question import OpenQuestion

SERVICE_ANSWER: Final = "answer"

ATTR_QUESTION_ID: Final = "question_id"
ATTR_ANSWER: Final = "answer"
MAX_ID_LENGTH: Final = 200
MAX_ANSWER_LENGTH: Final = 4000

SCHEMA: Final = vol.Schema(
    {
        vol.Required(ATTR_QUESTION_ID): vol.All(
            cv.string, vol.Length(1, MAX_ID_LENGTH)
        ),
        vol.Optional(ATTR_ANSWER): vol.All(cv.string, vol.Length(1, MAX_ANSWER_LENGTH)),
    }
)


@callback
def async_register(hass: HomeAssistant) -> None:
    """Register the action, for administrators and automations."""
    service.async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_ANSWER,
        partial(_async_answer, hass),
        SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_answer(hass: HomeAssistant, call: ServiceCall) -> ServiceResponse:
    """Answer or cancel a question.

    Raises:
        ServiceValidationError: the question is not open, or the answer is none.
        HomeAssistantError: the Gateway did not take it.

    """
    questions, one = _find(hass, call.data[ATTR_QUESTION_ID])
    answer = call.data.get(ATTR_ANSWER)
    if answer is not None and not one.answer(answer):
        choices = ", ".join(choice.label for choice in one.item.choices)
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="answer_not_offered",
            translation_placeholders={"choices": choices},
        )
    try:
        if answer is None or one.complete:
            await questions.async_send(one, refused=answer is None)
        else:
            async_ask_automations(hass, one)
            return {"status": "next_question", "question": one.item.text}
    except RequestFailedError as err:
        raise _not_open() from err
    except GatewayError as err:
        raise action_error(err) from err
    return {"status": "cancelled" if answer is None else "answered"}


def _find(hass: HomeAssistant, question_id: str) -> tuple[AgentQuestions, OpenQuestion]:
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        questions = get_agent_questions(entry)
        one = questions.open.get(question_id) if questions else None
        if questions and one and not one.sending:
            return questions, one
    raise _not_open()


def _not_open() -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key="question_not_open"
    )
