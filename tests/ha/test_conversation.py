"""The conversation agent."""

import asyncio

from homeassistant.components.conversation import (
    AssistantContent,
    UserContent,
    async_get_chat_log,
    async_get_conversation_languages,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.chat_session import async_get_chat_session
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import Fail, GatewaySimulator, Pause, Refuse, Reply, Tool

from .assist_client import Conversation, speech
from .states import AGENT, CONNECTIVITY, wait_for_state

pytestmark = pytest.mark.parametrize("protocol", [3, 4])


async def test_a_reply_arrives_as_it_is_written(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(chunks=("It is ",)), Pause(), Reply(chunks=("warm.",)))

    answer = asyncio.create_task(conversation.say("How is it?"))
    await conversation.delta_received.wait()
    assert conversation.deltas == ["It is "]
    gateway.proceed()

    assert speech(await answer) == "It is warm."
    assert conversation.deltas == ["It is ", "warm."]


async def test_text_around_a_tool_call_is_two_paragraphs(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Let me look."), Tool("look"), Reply("It is warm."))

    result = await conversation.say("How is it?")

    assert speech(result) == "Let me look.\n\nIt is warm."


async def test_a_conversation_is_one_session(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    first = await conversation.say("One")
    await conversation.say("Two", first.conversation_id)
    await conversation.say("Three")

    keys = [request.params["sessionKey"] for request in gateway.received("agent")]
    assert keys[0] == keys[1] != keys[2]
    assert all(key.startswith("agent:main:ha-") for key in keys)
    assert first.conversation_id
    assert first.conversation_id.lower() not in "".join(keys)


async def test_an_extra_prompt_reaches_the_agent(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello", prompt="Speak like a pirate.")

    [request] = gateway.received("agent")
    prompt = request.params["extraSystemPrompt"]
    assert prompt.endswith("\n\nSpeak like a pirate.")


async def test_the_agent_is_told_what_was_said_without_it_once(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    with (
        async_get_chat_session(hass) as session,
        async_get_chat_log(hass, session) as log,
    ):
        asked = AssistantContent("assist_satellite.hall", "Is anybody there?")
        log.async_add_assistant_content_without_tools(asked)
        log.async_add_user_content(UserContent("Light, please"))
        done = AssistantContent("conversation.home_assistant", "Turned it on")
        log.async_add_assistant_content_without_tools(done)

    await conversation.say("Now off", session.conversation_id, "It is late.")
    await conversation.say("Thanks", session.conversation_id)

    first, second = (
        request.params["extraSystemPrompt"] for request in gateway.received("agent")
    )
    assert first.endswith(
        "\n\nSaid before:\n"
        "Home Assistant: Is anybody there?\n"
        "User: Light, please\n"
        "Home Assistant: Turned it on\n\n"
        "It is late."
    )
    assert "Said before" not in second


async def test_a_refused_run_is_a_readable_answer(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Refuse())

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"
    assert speech(result) == "The Gateway rejected the request (INVALID_REQUEST)"


async def test_an_empty_reply_is_said_to_be_empty(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(""))

    result = await conversation.say("Hello")
    assert speech(result) == "The agent returned an empty reply"


async def test_a_failing_model_is_an_answer(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Fail("no credit left"))

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"
    assert speech(result) == "The agent could not answer: no credit left"


async def test_an_answer_outlives_a_drop(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply(chunks=("It is ",)), Pause(), Reply(chunks=("warm.",)))

    answer = asyncio.create_task(conversation.say("How is it?"))
    await conversation.delta_received.wait()
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    gateway.proceed()

    assert speech(await answer) == "It is warm."
    assert "".join(conversation.deltas) == "It is warm."


async def test_a_question_without_a_connection_is_answered_at_once(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    assert speech(await conversation.say("Hello")) == "The Gateway is not connected"


async def test_who_stops_listening_stops_the_run(
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    protocol: int,
) -> None:
    gateway.script(Reply(chunks=("It is ",)), Pause())

    answer = asyncio.create_task(conversation.say("How is it?"))
    await conversation.delta_received.wait()
    answer.cancel()
    await asyncio.wait({answer})

    abort = await gateway.wait_for_request(
        "chat.send" if protocol == 3 else "chat.abort"
    )
    [request] = gateway.received("agent")
    assert abort.params["sessionKey"] == request.params["sessionKey"]
    await gateway.wait_until(lambda: not gateway.runs.active())
    assert answer.cancelled()
    assert entry.runtime_data.client.introspection.runs == ()


async def test_any_input_is_passed_on_unchanged(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    text = 'Zeile 1\nZeile 2 "zitiert" 🌡️ \\ ende'

    await conversation.say(text)

    [request] = gateway.received("agent")
    assert request.params["message"] == text


@pytest.mark.usefixtures("entry")
async def test_any_language_is_understood(hass: HomeAssistant) -> None:
    assert async_get_conversation_languages(hass, AGENT) == "*"
