"""Questions of agents to users."""

import asyncio
from typing import Any

from homeassistant.components.conversation import ConversationResult
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.intent import IntentResponseType
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd import conversation as conversation_platform
from custom_components.clawd.assist import (
    agent_questions,
    open_question,
    question_texts,
)
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.const import EVENT_QUESTION
from custom_components.clawd.gateway import (
    AgentRun,
    QuestionChoice,
    QuestionItem,
    RunRequest,
)
from tests.simulator import AskUser, Drop, GatewaySimulator, Pause, Reply, ReplyResult

from .asking import ROOM, SPOKEN, WRITTEN, asked_later, entry, questions_of
from .assist_client import Conversation, speech, wait_processed
from .self_test import problems, run_self_test
from .voice_devices import Satellite

__all__ = ["asked_later", "entry"]
TIME = {"id": "time", "header": "Time", "question": "When?", "options": []}
CLOSED = ROOM | {"isOther": False}


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return settings with a short hand-off."""
    return {"handoff_after": 30, "session_scope": "device"}


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event]:
    """Return the questions to automations."""
    return async_capture_events(hass, EVENT_QUESTION)


async def ask(conversation: Conversation, satellite: str) -> ConversationResult:
    """Ask for a reply with a question."""
    result = await conversation.say("Turn it on", device=satellite)
    assert result.continue_conversation
    return result


async def ended(entry: MockConfigEntry) -> None:
    """Wait until no run is left, and the self-test finds nothing."""
    while runs := get_ongoing(entry).all:
        await runs[0].wait_ended()
        await asyncio.sleep(0)


async def handed_off(entry: MockConfigEntry) -> None:
    """Wait until no hand-off is left."""
    while tasks := get_ongoing(entry).handoffs:
        await asyncio.wait([*tasks.values()])
        await asyncio.sleep(0)


def messages(hass: HomeAssistant) -> list[str]:
    """Return the notifications."""
    found = hass.data.get("persistent_notification", {})
    return [str(one["message"]) for one in found.values()]


async def test_a_spoken_question_is_answered_by_the_next_utterance(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    events: list[Event],
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The light is on."))

    assert speech(await ask(conversation, satellite)) == SPOKEN
    result = await conversation.say("the kitchen", device=satellite)

    assert speech(result) == "The light is on."
    assert not result.continue_conversation
    assert len(gateway.received("agent")) == 1
    [resolved] = gateway.received("question.resolve")
    assert resolved.params["answers"] == {"answers": {"room": ["the kitchen"]}}
    assert questions_of(entry).outcomes == {"answered": 1}
    assert events == []
    await ended(entry)
    assert problems(await run_self_test(hass)) == {}


@pytest.mark.parametrize(
    ("said", "answer"),
    [("Kitchen.", "Kitchen"), ("the second one", "Bath"), ("2", "Bath")],
)
async def test_choices_by_name_and_number(
    gateway: GatewaySimulator,
    satellite: str,
    said: str,
    answer: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), ReplyResult())
    await ask(conversation, satellite)
    result = await conversation.say(said, device=satellite)
    assert f"Room: {answer}" in speech(result)


async def test_a_chat_is_asked_in_markdown(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    conversation: Conversation,
) -> None:
    gateway.script(Reply("Let me see."), AskUser([ROOM]), Reply("Done in the bath."))
    user = await hass.auth.async_create_user("Ada")

    first = await conversation.say("Turn it on", user=user.id)
    assert speech(first) == f"Let me see.\n\n{WRITTEN}"
    assert conversation.deltas == ["Let me see.", WRITTEN]
    second = await conversation.say("Bath", first.conversation_id, user=user.id)

    assert speech(second) == "Done in the bath."
    texts = [getattr(part, "content", None) for part in conversation.content]
    assert texts[1:] == [
        *("Turn it on", "Let me see.", WRITTEN),
        *("Bath", "Done in the bath."),
    ]


async def test_several_questions_come_one_after_the_other(
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM, TIME]), Reply("At eight."))
    await ask(conversation, satellite)
    second = await conversation.say("Bath", device=satellite)
    assert speech(second) == "When?"
    assert second.continue_conversation
    third = await conversation.say("at eight", device=satellite)
    assert speech(third) == "At eight."
    [resolved] = gateway.received("question.resolve")
    answers = {"room": ["Bath"], "time": ["at eight"]}
    assert resolved.params["answers"] == {"answers": answers}


async def test_another_question_may_follow_the_answer(
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), AskUser([TIME]), Reply("At eight."))
    await ask(conversation, satellite)
    second = await conversation.say("Bath", device=satellite)
    assert speech(second) == "When?"
    assert second.continue_conversation
    assert speech(await conversation.say("8", device=satellite)) == "At eight."


async def test_who_is_not_understood_is_asked_once_more(
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([CLOSED]), Reply("Then I leave it."))
    await ask(conversation, satellite)
    again = await conversation.say("the cellar", device=satellite)
    assert speech(again) == f"That was none of the answers. {SPOKEN}"
    assert again.continue_conversation
    last = await conversation.say("no, the cellar", device=satellite)
    assert speech(last) == "Then I leave it."
    [cancelled] = gateway.received("question.resolve")
    assert cancelled.params["cancel"] is True
    assert questions_of(entry).outcomes == {"cancelled": 1}


@pytest.mark.parametrize("said", ["Never mind!", "Never mind, please."])
async def test_never_mind(
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
    said: str,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("Then I leave it."))
    await ask(conversation, satellite)
    result = await conversation.say(said, device=satellite)
    assert speech(result) == "Then I leave it."
    assert not result.continue_conversation


@pytest.mark.parametrize("said", ["No, stop it.", "OK, cancel it"])
async def test_an_answer_may_tell_to_stop_something_else(
    gateway: GatewaySimulator, satellite: str, conversation: Conversation, said: str
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The washer is off."))
    await ask(conversation, satellite)

    result = await conversation.say(said, device=satellite)

    assert speech(result) == "The washer is off."
    [resolved] = gateway.received("question.resolve")
    assert resolved.params["answers"] == {"answers": {"room": [said]}}


async def test_stop_ends_the_run(
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("Never said."))
    await ask(conversation, satellite)
    result = await conversation.say("Stop!", device=satellite)
    assert speech(result) == "Stopped."
    await ended(entry)
    assert questions_of(entry).open == {}
    assert gateway.questions.open == []


@pytest.mark.parametrize("label", ["Stop", "Stop it", "Cancel", "Never mind"])
async def test_a_choice_may_be_a_word_that_stops(
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
    label: str,
) -> None:
    choices = [{"label": "Go on"}, {"label": label}]
    gateway.script(AskUser([ROOM | {"options": choices}]), ReplyResult())
    await ask(conversation, satellite)
    result = await conversation.say(f"{label}.", device=satellite)
    assert f"Room: {label}" in speech(result)


async def test_an_expired_question_lets_the_run_tell_its_end(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), Pause(), Reply("Nobody answered, so I left it."))
    await ask(conversation, satellite)
    [pending] = gateway.questions.open
    gateway.questions.close(pending.record["id"], "expired")
    await gateway.wait_paused()
    await wait_processed(entry)
    assert questions_of(entry).outcomes == {"expired": 1}
    gateway.proceed()
    await handed_off(entry)
    assert messages(hass) == ["Nobody answered, so I left it."]


async def test_an_answer_that_comes_too_late_says_so(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), Pause(), Reply("The bath it is."))
    await ask(conversation, satellite)
    # Somebody answers in the dashboard, and its event is on its way.
    [question_id] = questions_of(entry).open
    gateway.refuse_method("question.resolve")
    result = await conversation.say("Kitchen", device=satellite)
    assert speech(result) == "That question does not need an answer anymore."
    assert not result.continue_conversation
    gateway.questions.answer(question_id, {"room": ["Bath"]})
    gateway.proceed()
    await handed_off(entry)
    assert messages(hass) == ["The bath it is."]


async def test_without_a_connection_the_question_stays_open(
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    conversation: Conversation,
) -> None:
    gateway.script(AskUser([ROOM]), Reply("The bath it is."))
    await ask(conversation, satellite)
    await gateway.suspend()
    result = await conversation.say("Bath", device=satellite)
    assert result.response.response_type is IntentResponseType.ERROR
    await gateway.resume()
    await entry.runtime_data.client.wait_connected()
    result = await conversation.say("Bath", device=satellite)
    assert speech(result) == "The bath it is."


async def test_what_is_said_much_later_is_no_answer(
    gateway: GatewaySimulator,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
    conversation: Conversation,
) -> None:
    monkeypatch.setattr(open_question, "MAX_SPOKEN_DELAY", -1.0)
    gateway.script_once(AskUser([ROOM]), Reply("The bath it is."))
    await ask(conversation, satellite)
    gateway.script(Reply("It rains."))
    result = await conversation.say("How is the weather", device=satellite)
    assert speech(result) == "It rains."
    result = await conversation.say("Bath", device=satellite)
    assert speech(result) == "The bath it is."


async def test_questions_of_others_are_left_to_them(
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    events: list[Event],
    conversation: Conversation,
) -> None:
    run = gateway.run("elsewhere", AskUser([ROOM]), Reply("Done."))
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    assert questions_of(entry).open == {}
    assert questions_of(entry).others == 1
    assert events == []
    result = await conversation.say("say: Hello", device=satellite)
    assert speech(result) == "Hello"
    run.stop("rpc")
    await gateway.wait_until(lambda: not gateway.questions.open)


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0.02}])
async def test_a_run_that_was_handed_off_asks_as_well(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    events: list[Event],
) -> None:
    gateway.script(Pause(), AskUser([ROOM]), Reply("The bath it is."))
    result = await conversation.say("Turn it on", device=satellite)
    assert not result.continue_conversation
    gateway.proceed()
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)
    await hass.async_block_till_done()
    # The device cannot speak: a notification asks, and automations are asked.
    assert messages(hass) == [SPOKEN]
    assert len(events) == 1

    result = await conversation.say("Bath", device=satellite)
    assert speech(result) == "I'm on it; I'll tell you when it's done."
    await handed_off(entry)
    assert messages(hass) == [SPOKEN, "The bath it is."]


async def test_a_question_before_the_run_is_known_waits_for_it(
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Reply("Hello."))
    question = {
        "id": "ask_early",
        "questions": AskUser([ROOM]).recorded,
        "expiresAtMs": gateway.now_ms() + 60_000,
    }
    client = entry.runtime_data.client
    start = client.start_run

    async def early(request: RunRequest) -> AgentRun:
        gateway.broadcast("question.requested", question | {"runId": request.run_id})
        await client.request("health")
        run: AgentRun = await start(request)
        return run

    client.start_run = early
    result = await conversation.say("Turn it on", device=satellite)
    assert speech(result) == SPOKEN
    # The run ends without an answer, and its end is told.
    await ended(entry)
    await handed_off(entry)
    assert messages(hass) == ["Hello."]
    assert questions_of(entry).outcomes == {"run_ended": 1}
    assert questions_of(entry).others == 0


async def test_others_ask_without_end(
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(agent_questions, "MAX_UNMATCHED", 2)
    recorded = AskUser([ROOM]).recorded
    for number in range(4):
        question = {
            "id": f"ask_{number}",
            "questions": recorded,
            "runId": "elsewhere",
            "expiresAtMs": 1,
        }
        gateway.broadcast("question.requested", question)
    gateway.broadcast("question.requested", {"id": 7})
    gateway.broadcast("question.resolved", {"id": "ask_3", "status": "ascended"})
    gateway.broadcast("question.resolved", {"id": 7})
    secret = question | {"id": "ask_secret", "questions": [recorded[0]]}
    secret["questions"] = [recorded[0] | {"isSecret": True}]
    gateway.broadcast("question.requested", secret)
    await wait_processed(entry)
    assert questions_of(entry).others == 5
    assert speech(await conversation.say("say: Hello")) == "Hello"


async def test_after_a_reconnect_the_open_questions_are_fetched(
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Drop(), AskUser([ROOM]), Pause(), Reply("The bath it is."))
    result = await ask(conversation, satellite)
    assert speech(result) == SPOKEN
    # Meanwhile, somebody answers in the dashboard.
    [question_id] = questions_of(entry).open
    gateway.drop()
    gateway.questions.answer(question_id, {"room": ["Bath"]})
    client = entry.runtime_data.client
    await gateway.wait_for_request("question.list", 3)
    await client.request("health")
    await wait_processed(entry)
    assert questions_of(entry).outcomes == {"gone": 1}
    gateway.proceed()
    await handed_off(entry)
    assert messages(hass) == ["The bath it is."]


async def test_open_questions_that_cannot_be_fetched(
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
) -> None:
    gateway.refuse_method("question.list")
    gateway.drop()
    await gateway.wait_for_request("question.list", 2)
    await entry.runtime_data.client.wait_connected()
    await wait_processed(entry)
    assert questions_of(entry).open == {}
    assert speech(await conversation.say("say: Hello")) == "Hello"


async def test_a_chat_takes_words_of_ones_own(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(AskUser([ROOM]), ReplyResult(""))
    user = await hass.auth.async_create_user("Ada")
    first = await conversation.say("Turn it on", user=user.id)
    assert first.continue_conversation
    second = await conversation.say("the cellar", first.conversation_id, user=user.id)
    assert speech(second).startswith("Room: the cellar")


async def test_another_device_asks_its_own(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script_once(AskUser([ROOM]), Reply("The bath it is."))
    await ask(conversation, satellite)
    owner = MockConfigEntry(domain="test")
    owner.add_to_hass(hass)
    bath = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("test", "2")}, name="Other"
    )
    result = await conversation.say("say: Hello", device=bath.id)
    assert speech(result) == "Hello"
    result = await conversation.say("Bath", device=satellite)
    assert speech(result) == "The bath it is."


async def test_a_question_that_closes_while_it_is_asked(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway.script(AskUser([ROOM]), Pause(), Reply("The bath it is."))
    descriptions = 0

    async def describe(
        hass: HomeAssistant, item: QuestionItem, language: str, **how: bool
    ) -> str:
        nonlocal descriptions
        descriptions += 1
        if descriptions == 2:
            [pending] = gateway.questions.open
            gateway.questions.answer(pending.record["id"], {"room": ["Bath"]})
            await wait_processed(entry)
        return await question_texts.async_describe_question(hass, item, language, **how)

    monkeypatch.setattr(conversation_platform, "async_describe_question", describe)
    await ask(conversation, satellite)
    gateway.proceed()
    await handed_off(entry)
    assert messages(hass) == ["The bath it is."]


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0.02}])
async def test_a_handed_off_question_may_be_closed_as_well(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    asked_later: str,
) -> None:
    gateway.refuse_method("question.resolve")
    result = await conversation.say("Bath", device=satellite)
    assert speech(result) == "That question does not need an answer anymore."
    gateway.questions.answer(asked_later, {"room": ["Bath"]})
    await handed_off(entry)
    assert messages(hass)[-1] == "The bath it is."


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0.02}])
async def test_a_handed_off_question_may_be_answered_elsewhere(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    asked_later: str,
) -> None:
    gateway.questions.answer(asked_later, {"room": ["Bath"]})
    await handed_off(entry)
    assert messages(hass) == [SPOKEN, "The bath it is."]
    assert questions_of(entry).outcomes == {"answered": 1}


@pytest.mark.parametrize(
    ("labels", "several", "text"),
    [
        (("Yes",), False, "Which? You can say: Yes."),
        (("A", "B", "C"), False, "Which? You can say: A, B or C."),
        (("A", "B"), True, "Which? You can name one or more: A or B."),
        ((), False, "Which?"),
    ],
)
async def test_how_a_question_is_spoken(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    labels: tuple[str, ...],
    several: bool,  # noqa: FBT001
    text: str,
) -> None:
    assert questions_of(entry).open == {}
    choices = tuple(map(QuestionChoice, labels))
    item = QuestionItem("q", "", "Which?", choices, several, is_other=True)
    spoken = await question_texts.async_describe_question(hass, item, "en", spoken=True)
    assert spoken == text
    german = await question_texts.async_describe_question(hass, item, "de", spoken=True)
    assert (german == text) is not bool(labels)


@pytest.mark.parametrize("agent_settings", [{"handoff_after": 0.02}])
async def test_the_device_that_asked_asks_for_the_agent(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    satellite: str,
    loudspeaker: Satellite,
    asked_later: str,
) -> None:
    assert loudspeaker.asked == [SPOKEN]
    # Words of one's own are an answer to what was heard.
    await conversation.say("the cellar", device=satellite)
    await handed_off(entry)
    assert loudspeaker.said == ["The bath it is."]
    [resolved] = gateway.received("question.resolve")
    assert resolved.params["id"] == asked_later
    assert resolved.params["answers"] == {"answers": {"room": ["the cellar"]}}
