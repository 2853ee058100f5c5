"""Questions to automations, and their answers."""

import asyncio
from typing import Any

from homeassistant.core import Context, Event, HomeAssistant, ServiceResponse
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
)

from custom_components.clawd.const import DOMAIN, EVENT_QUESTION
from tests.simulator import AskUser, GatewaySimulator, Reply, ReplyResult

from .asking import ROOM, approve, questions_of, set_up_asking
from .assist_client import Conversation, speech, wait_processed
from .states import AGENT

TIME = {"id": "time", "header": "Time", "question": "When?", "options": []}


@pytest.fixture
async def entry(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> MockConfigEntry:
    """Set up an entry that may answer questions."""
    await set_up_asking(hass, new_entry)
    await approve(gateway, new_entry)
    return new_entry


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event]:
    """Return the questions to automations."""
    return async_capture_events(hass, EVENT_QUESTION)


async def answer(
    hass: HomeAssistant, context: Context | None = None, **data: str
) -> ServiceResponse:
    """Call the action."""
    return await hass.services.async_call(
        DOMAIN, "answer", data, blocking=True, return_response=True, context=context
    )


async def asked(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: MockConfigEntry
) -> asyncio.Task[ServiceResponse]:
    """Have an action ask an agent, which asks back."""
    data = {"agent": AGENT, "text": "Turn it on"}
    task = asyncio.create_task(
        hass.services.async_call(
            DOMAIN, "ask", data, blocking=True, return_response=True
        )
    )
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    return task


async def test_an_automation_is_asked_and_answers(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event],
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The light is on."))
    task = await asked(hass, gateway, entry)

    [event] = events
    [question_id] = questions_of(entry).open
    expires = event.data["expires_at"]
    assert event.data == {
        "question_id": question_id,
        "agent": "main",
        "header": "Room",
        "question": "Which room?",
        "options": ["Kitchen", "Bath"],
        "multiple": False,
        "expires_at": expires,
    }
    response = await answer(hass, question_id=question_id, answer="kitchen")

    assert response == {"status": "answered"}
    result: Any = await task
    assert result["text"] == "The light is on."
    [resolved] = gateway.received("question.resolve")
    assert resolved.params["answers"] == {"answers": {"room": ["Kitchen"]}}


async def test_several_questions_are_events_of_their_own(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event],
) -> None:
    gateway.script(AskUser([ROOM | {"multiSelect": True}, TIME]), ReplyResult(""))
    task = await asked(hass, gateway, entry)
    [question_id] = questions_of(entry).open
    response = await answer(hass, question_id=question_id, answer="Bath, Kitchen")
    assert response == {"status": "next_question", "question": "When?"}
    await answer(hass, question_id=question_id, answer="at eight")
    assert [event.data["question"] for event in events] == ["Which room?", "When?"]
    assert [event.data["multiple"] for event in events] == [True, False]
    result: Any = await task
    assert result["text"].startswith("Room: Bath, Kitchen\nTime: at eight")


async def test_nobody_answers(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM]), Reply("Then I leave it."))
    task = await asked(hass, gateway, entry)
    [question_id] = questions_of(entry).open
    assert await answer(hass, question_id=question_id) == {"status": "cancelled"}
    result: Any = await task
    assert result["text"] == "Then I leave it."


async def test_an_answer_that_is_none(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM | {"isOther": False}]), Reply("On."))
    task = await asked(hass, gateway, entry)
    [question_id] = questions_of(entry).open
    with pytest.raises(ServiceValidationError) as raised:
        await answer(hass, question_id=question_id, answer="cellar")
    assert raised.value.translation_key == "answer_not_offered"
    assert raised.value.translation_placeholders == {"choices": "Kitchen, Bath"}
    await answer(hass, question_id=question_id, answer="in the bath please")
    await task
    with pytest.raises(ServiceValidationError) as raised:
        await answer(hass, question_id=question_id, answer="Bath")
    assert raised.value.translation_key == "question_not_open"


async def test_the_gateway_refuses_or_is_gone(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM]), Reply("On."))
    task = await asked(hass, gateway, entry)
    [question_id] = questions_of(entry).open
    gateway.refuse_method("question.resolve")
    with pytest.raises(ServiceValidationError) as raised:
        await answer(hass, question_id=question_id, answer="Bath")
    assert raised.value.translation_key == "question_not_open"
    assert questions_of(entry).open == {}
    gateway.questions.answer(question_id, {"room": ["Bath"]})
    await task


async def test_without_a_connection_it_fails_and_can_be_repeated(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM]), Reply("On."))
    task = await asked(hass, gateway, entry)
    [question_id] = questions_of(entry).open
    await gateway.suspend()
    with pytest.raises(HomeAssistantError):
        await answer(hass, question_id=question_id, answer="Bath")
    await gateway.resume()
    await entry.runtime_data.client.wait_connected()
    await answer(hass, question_id=question_id, answer="Kitchen")
    result: Any = await task
    assert result["text"] == "On."
    [resolved] = gateway.received("question.resolve")
    assert resolved.params["answers"] == {"answers": {"room": ["Kitchen"]}}


async def test_a_conversation_of_an_automation_waits_for_the_answer(
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event],
) -> None:
    gateway.script(AskUser([ROOM]), Reply("On."))
    task = asyncio.create_task(conversation.say("Turn it on"))
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    [event] = events
    await answer(hass, question_id=event.data["question_id"], answer="1")
    assert speech(await task) == "On."


async def test_who_is_no_administrator_may_not_answer(
    hass: HomeAssistant, entry: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    assert questions_of(entry).open == {}
    context = Context(user_id=hass_read_only_user.id)
    with pytest.raises(Unauthorized):
        await answer(hass, context, question_id="ask_1", answer="Bath")
