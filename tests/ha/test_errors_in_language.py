"""Errors of questions, in the language of the question."""

from homeassistant.components.conversation import ConversationResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from tests.simulator import Fail, GatewaySimulator

from .assist_client import Conversation, speech
from .states import CONNECTIVITY, wait_for_state

both_protocols = pytest.mark.parametrize("protocol", [3, 4])


def error(result: ConversationResult) -> str:
    """Return the text of an error."""
    assert result.response.response_type.value == "error"
    assert not result.continue_conversation
    return speech(result)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de-AT", "Das Gateway hat die Rechte der Sitzung nicht eingeschränkt"),
        ("fr", "Le Gateway n'a pas restreint les droits de la session"),
        ("pt-BR", "The Gateway did not restrict the rights of the session"),
    ],
)
async def test_refused_rights(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    language: str,
    text: str,
) -> None:
    gateway.has_permission_modes = False

    result = await conversation.say("Hallo", device=satellite, language=language)

    assert error(result).startswith(text)


@both_protocols
async def test_failed_run(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Fail("500 mock failure"))

    result = await conversation.say("Hallo", device=satellite, language="de")

    assert error(result).startswith("Der Agent konnte nicht antworten: ")


async def test_absent_gateway(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    result = await conversation.say("¿Qué hora es?", language="es")

    assert error(result) == "El Gateway no está conectado."


async def test_error_of_home_assistant(
    hass: HomeAssistant, conversation: Conversation
) -> None:
    """Home Assistant's own have a text of their own."""
    user = MockUser().add_to_hass(hass)

    result = await conversation.say("/new", user=user.id, language="de")

    assert error(result) == str(Unauthorized())
