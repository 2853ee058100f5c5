"""Replies in speech and chat."""

import asyncio

from homeassistant.components.conversation import (
    AssistantContent,
    ConversationResult,
    UserContent,
    async_get_chat_log,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.chat_session import async_get_chat_session
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import ask, spoken as spoken_reply
from custom_components.clawd.gateway.runs import aborts
from tests.simulator import Agent, Fail, GatewaySimulator, Pause, Reply, Tool

from .assist_client import Conversation, speech, wait_processed

both_protocols = pytest.mark.parametrize("protocol", [3, 4])
LIMIT = "You've hit your session limit · resets 8:30am"
SCRATCH = "I should look up the sensor in the living room and the one outside first."


@pytest.fixture(params=["voice", "chat"])
def device(request: pytest.FixtureRequest, satellite: str) -> str | None:
    """Return the device that is spoken to, or None for a chat."""
    return satellite if request.param == "voice" else None


def with_settings(**settings: object) -> pytest.MarkDecorator:
    """Let the agent have settings."""
    return pytest.mark.parametrize("agent_settings", [settings])


def _is_error(result: ConversationResult) -> bool:
    return result.response.response_type.value == "error"


@both_protocols
@pytest.mark.parametrize("reply", ["HEARTBEAT_OK", "**NO_REPLY**", "NO_REPLY\n"])
async def test_a_reply_to_a_poll_is_a_sentence(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    reply: str,
) -> None:
    gateway.script(Reply(chunks=tuple(reply)))

    result = await conversation.say("?", device=device)

    said = "I have nothing to add."
    assert (speech(result), _is_error(result)) == (said, False)
    assert conversation.deltas == []
    assert isinstance(last := conversation.content[-1], AssistantContent)
    assert last.content == said
    [request] = gateway.received("agent")
    assert "It is no heartbeat and no poll" in request.params["extraSystemPrompt"]


async def test_nothing_to_add_is_said_in_the_language_of_the_question(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("NO_REPLY"))

    result = await conversation.say("?", language="de-AT")

    assert speech(result) == "Ich habe nichts hinzuzufügen."


@both_protocols
async def test_thoughts_are_kept_from_people(
    conversation: Conversation, gateway: GatewaySimulator, device: str | None
) -> None:
    chunks = ("<thi", "nk>The user wants…", "</think>", "\n\nDie Lampe ist an.")
    gateway.script(Reply(chunks=chunks))

    result = await conversation.say("Hello", device=device)

    assert speech(result) == "".join(conversation.deltas) == "Die Lampe ist an."


@both_protocols
async def test_a_thought_that_never_ends_is_an_error(
    conversation: Conversation, gateway: GatewaySimulator, device: str | None
) -> None:
    gateway.script(Reply("<think>The user wants"))

    result = await conversation.say("Hello", device=device)

    assert _is_error(result)
    assert speech(result).startswith("The agent's reply ended while it was still")
    assert conversation.deltas == []


@both_protocols
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("[[reply_to_current]] Die Tür ist zu.", "Die Tür ist zu."),
        ("MEDIA:/home/claw/a.png\nHier ist sie.", "Hier ist sie."),
        ("Ja. [[tts:voice=a]]Nein.", "Ja. Nein."),
    ],
)
async def test_directives_reach_nobody(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    reply: str,
    shown: str,
) -> None:
    gateway.script(Reply(chunks=tuple(reply)))

    result = await conversation.say("Hello", device=device)

    assert speech(result) == "".join(conversation.deltas) == shown


async def test_what_looks_like_a_directive_in_code_stays(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    code = "Write:\n```\n[[reply_to_current]]\nMEDIA:/a.png\n```"
    gateway.script(Reply(chunks=tuple(code)))

    assert speech(await conversation.say("Hello")) == code


@both_protocols
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("500 mock failure", "500 mock failure"),
        (
            f'Error: {{"is_error":true,"api_status":429,"result":"{LIMIT}"}}',
            LIMIT,
        ),
    ],
)
async def test_a_provider_that_fails_is_an_error(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    error: str,
    sentence: str,
) -> None:
    gateway.script(Fail(error))

    result = await conversation.say("Hello", device=device)

    assert _is_error(result)
    assert speech(result) == f"The agent could not answer: {sentence}"
    assert conversation.deltas == []


@both_protocols
@pytest.mark.parametrize("agent_settings", [{}, {"tool_progress": True}])
@pytest.mark.parametrize("first", ["Found two.", "Found <b", "```\nx"])
async def test_the_reply_is_the_same_with_and_without_tools(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    first: str,
) -> None:
    gateway.script(Reply(first), Tool("look"), Tool("look"), Reply("Done."))

    result = await conversation.say("Hello", device=device)

    assert speech(result) == ("Done." if device else f"{first}\n\nDone.")


@with_settings(tool_progress=True)
async def test_what_was_only_for_the_ear_is_told_after_the_last_tool(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("[[tts:text]]Done.[[/tts:text]]"), Tool("look"))

    result = await conversation.say("Hello")

    assert speech(result) == "Done."
    assert isinstance(last := conversation.content[-1], AssistantContent)
    assert last.content == "Done."


@both_protocols
@pytest.mark.parametrize(
    "agent_settings",
    [{}, {"tool_progress": True}, {"spoken_part": "everything"}],
)
@pytest.mark.parametrize("scratch", ["Let me look.", SCRATCH, f"{SCRATCH} " * 3])
async def test_a_player_does_not_wait_for_a_tool(
    entry: MockConfigEntry,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    scratch: str,
) -> None:
    [subentry] = entry.subentries.values()
    gateway.script(Reply(scratch), Tool("look"), Pause(), Reply("21 Grad."))

    answer = asyncio.create_task(conversation.say("Hello", device=satellite))
    await gateway.wait_paused()
    await wait_processed(entry)
    assert conversation.deltas == []
    gateway.proceed()

    everything = subentry.data["spoken_part"] == "everything"
    spoken = f"{scratch.strip()}\n\n21 Grad." if everything else "21 Grad."
    assert speech(await answer) == spoken
    assert conversation.deltas == [spoken]


@both_protocols
@pytest.mark.parametrize(
    "agent_settings", [{"spoken_part": "answer"}, {"spoken_part": "everything"}]
)
async def test_what_was_said_before_the_last_tool_is_the_answer_if_nothing_follows(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply("I close it."), Tool("close"), Reply(""))

    result = await conversation.say("Close the door", device=satellite)

    assert speech(result) == "I close it."
    assert conversation.deltas == ["I close it."]


@both_protocols
async def test_a_long_reply_is_spoken_while_it_is_written(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    chunks = (*("It is ", "warm. ") * 30, "It is")
    gateway.script(Reply(chunks=chunks), Pause(), Reply(chunks=(" cold.",)))

    answer = asyncio.create_task(conversation.say("Hello", device=satellite))
    await conversation.delta_received.wait()
    spoken = "".join(conversation.deltas)
    gateway.proceed()

    assert len(spoken) > spoken_reply.MIN_SPEECH
    assert spoken.endswith("warm.\n\n")
    assert speech(await answer) == "It is warm. " * 30 + "It is cold."
    assert "".join(conversation.deltas).split() == speech(await answer).split()
    assert all(delta.rstrip().endswith(".") for delta in conversation.deltas)


@both_protocols
@pytest.mark.parametrize("reply", [".", "—", "…", "\u200b", "  ", "**", "👍"])
async def test_a_reply_without_words_is_an_error(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    reply: str,
) -> None:
    gateway.script(Reply(chunks=(reply,)))

    result = await conversation.say("Hello", device=device)

    assert _is_error(result)
    assert speech(result) == "The agent returned an empty reply"
    assert conversation.deltas == []


@pytest.mark.parametrize("question", ["", " \n", "\u200b", "\u00a0\ufeff"])
async def test_a_blank_question_is_not_asked(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    question: str,
) -> None:
    result = await conversation.say(question, device=device)

    assert _is_error(result)
    assert speech(result) == "There was no question"
    assert not gateway.received("agent")


@pytest.mark.parametrize(
    ("reply", "spoken"),
    [
        ("Room | °C\n--- | ---\nBath | 21.5", "Room, °C\nBath, 21.5"),
        ("• first", "first"),
        ("On → off", "On, off"),
        ("Line<br>two&nbsp;&amp; three", "Line\ntwo & three"),
        ("See [docs][1].\n\n[1]: https://e.example/a", "See docs."),
        ("Title\n=====", "Title"),
        ("$E = mc^2$, \\(a^2\\)", "E = mc², a²"),
        ("Open http://192.168.1.5:8123/lovelace/0.", "Open 192.168.1.5."),
        ("Link: <https://e.example>.", "Link: e.example."),
    ],
)
async def test_only_words_are_spoken(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    reply: str,
    spoken: str,
) -> None:
    gateway.script(Reply(chunks=tuple(reply)))

    result = await conversation.say("Hello", device=device)

    assert speech(result) == (spoken if device else reply)


QUESTIONS = (
    ("هل تريد المزيد؟", "ar"),
    ("Soll ich? (ja/nein)", "de"),
    ("„Bereit?“", "de"),
    ("何をしましょうか。", "ja"),
    ("**Shall I close it?**", "en"),
    ("¿Cierro? 😊", "es"),
)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("question", [*QUESTIONS, ("Set it to x;", "en")])
async def test_the_microphone_stays_open_after_a_question(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    question: tuple[str, str],
    *,
    streamed: bool,
) -> None:
    reply, language = question
    gateway.script(Reply(chunks=tuple(reply) if streamed else (reply,)))

    result = await conversation.say("Hello", device=device, language=language)

    assert result.continue_conversation is (question in QUESTIONS)


async def test_no_agent_is_told_what_another_one_was_asked_or_said(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    with (
        async_get_chat_session(hass) as session,
        async_get_chat_log(hass, session) as log,
    ):
        for question, agent, answer in (
            ("My code?", "conversation.home_assistant_cloud", "It is 1234"),
            ("Light", "conversation.home_assistant", "On"),
            ("Night", "sentence_trigger", "Good night"),
            ("My name?", "01JX3ENTRY", "Ada"),
        ):
            log.async_add_user_content(UserContent(question))
            log.async_add_assistant_content_without_tools(
                AssistantContent("conversation.main", None)
            )
            log.async_add_assistant_content_without_tools(
                AssistantContent(agent, answer)
            )

    await conversation.say("Now off", session.conversation_id)

    [request] = gateway.received("agent")
    assert request.params["extraSystemPrompt"].endswith(
        "\n\nSaid before:\nUser: Light\nHome Assistant: On\n"
        "User: Night\nHome Assistant: Good night"
    )


async def test_the_agent_is_told_that_it_has_no_access_to_the_home(
    conversation: Conversation, gateway: GatewaySimulator, device: str | None
) -> None:
    await conversation.say("Mach alle Rollläden auf.", device=device)

    [request] = gateway.received("agent")
    prompt = request.params["extraSystemPrompt"]
    assert "you cannot see or change any of its devices" in prompt


@both_protocols
@with_settings(session_scope="shared")
async def test_two_questions_in_one_session_get_their_own_answers(
    conversation: Conversation, gateway: GatewaySimulator, device: str | None
) -> None:
    gateway.script(Pause(), Reply("In the kitchen."))
    first = asyncio.create_task(conversation.say("Where?", device=device))
    await gateway.wait_paused()
    gateway.script(Reply("In the bath."))
    second = asyncio.create_task(conversation.say("And here?"))
    await asyncio.wait([second], timeout=0)

    assert len(gateway.received("agent")) == 1
    gateway.proceed()
    assert speech(await first) == "In the kitchen."
    assert speech(await second) == "In the bath."
    first_key, second_key = (
        request.params["sessionKey"] for request in gateway.received("agent")
    )
    assert first_key == second_key


@both_protocols
@with_settings(session_scope="shared", handoff_after=0)
async def test_who_cannot_have_the_session_is_told_soon(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ask, "SPOKEN_TURN_TIMEOUT", 0.02)
    gateway.script(Pause(), Reply("In the kitchen."))
    first = asyncio.create_task(conversation.say("Where?"))
    await gateway.wait_paused()

    result = await conversation.say("And here?", device=satellite)

    assert _is_error(result)
    assert speech(result).startswith("main is still answering another question")
    gateway.proceed()
    assert speech(await first) == "In the kitchen."


@both_protocols
@with_settings(deadline=0.02)
async def test_who_waits_too_long_learns_that_the_agent_was_stopped(
    conversation: Conversation, gateway: GatewaySimulator, device: str | None
) -> None:
    gateway.script(Pause())

    result = await conversation.say("Hello", device=device)

    assert _is_error(result)
    assert speech(result).startswith("The agent took too long and was stopped.")
    assert not gateway.runs.active()


@both_protocols
@with_settings(deadline=0.02)
async def test_who_waits_too_long_learns_that_the_agent_may_go_on(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aborts, "STOP_TIMEOUT", 0.02)
    gateway.hold("chat.abort")
    gateway.hold("chat.send")
    gateway.script(Pause())

    result = await conversation.say("Hello", device=device)

    assert _is_error(result)
    assert "It was told to stop, but may go on" in speech(result)


@both_protocols
@with_settings(deadline=0.02)
async def test_a_late_reply_is_told(
    conversation: Conversation,
    gateway: GatewaySimulator,
    device: str | None,
    protocol: int,
) -> None:
    gateway.hold("chat.abort")
    gateway.hold("chat.send")
    gateway.script(Pause(), Reply("It is done."))

    answer = asyncio.create_task(conversation.say("Hello", device=device))
    await gateway.wait_for_request("chat.send" if protocol == 3 else "chat.abort")
    gateway.proceed()

    assert speech(await answer) == "It is done."


@both_protocols
async def test_who_asked_before_a_lost_connection_learns_that_the_agent_may_go_on(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    hass.config_entries.async_update_entry(new_entry, options={"keep_run": 0})
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    gateway.script(Pause())

    answer = asyncio.create_task(Conversation(hass).say("Hello", device=satellite))
    await gateway.wait_paused()
    await gateway.suspend()
    gateway.drop()

    assert "It may go on" in speech(await answer)


@pytest.mark.parametrize(
    ("agent_settings", "levels"),
    [
        ({"thinking": "high"}, "off"),
        ({"thinking": "xhigh", "model": "mock/thinker"}, "off, low, high"),
        ({"thinking": "xhigh", "model": "mock/gone"}, "off"),
    ],
)
async def test_who_asks_for_a_thinking_level_too_many_learns_which_there_are(
    conversation: Conversation, gateway: GatewaySimulator, levels: str
) -> None:
    gateway.agents = (Agent("main"),)
    result = await conversation.say("Hello")

    assert _is_error(result)
    assert f"Its model has these: {levels}." in speech(result)


@with_settings(thinking="low")
async def test_a_thinking_level_that_the_model_has_is_not_blamed(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.agents = (Agent("main", levels=("off", "low")),)
    gateway.script(Fail("no credit left"))

    result = await conversation.say("Hello")

    assert speech(result) == "The agent could not answer: no credit left"
