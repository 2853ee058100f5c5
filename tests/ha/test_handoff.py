"""Hand-off of long answers."""

import asyncio
from functools import partial
from typing import Any

from homeassistant.components.conversation import AssistantContent
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd import client_factory
from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.gateway import Timing
from custom_components.clawd.gateway.runs import recovery
from tests.simulator import Fail, GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech, wait_processed
from .handoff_scenario import (
    AFTER,
    ANSWER,
    QUESTION,
    SENTENCE,
    WORDS,
    HandoffScenario,
    agent_settings,
    prompts,
    sessions,
)
from .voice_devices import Satellite

__all__ = ["agent_settings"]
both_protocols = pytest.mark.parametrize("protocol", [3, 4])


@pytest.fixture(autouse=True)
def _short_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a Gateway that does not know a run no longer than needed."""
    timing = partial(Timing, wait_timeout=0.02, poll_interval=0.01)
    monkeypatch.setattr(client_factory, "Timing", timing)
    monkeypatch.setattr(recovery, "UPTIME_TOLERANCE", 0.0)


@both_protocols
async def test_a_long_answer_is_handed_off_and_told(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Pause(), Reply(f"**{ANSWER}** See [this](https://e.example/a)."))

    assert await scenario.ask() == SENTENCE

    assert isinstance(last := conversation.content[-1], AssistantContent)
    assert last.content == SENTENCE
    assert conversation.deltas == []
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == [f"{ANSWER} See this."]
    assert scenario.titles == ["main"]
    assert scenario.event_types == ["handed_off", "finished"]
    assert {event.data["task_id"] for event in scenario.events} == {
        gateway.received("agent")[0].params["idempotencyKey"]
    }
    assert QUESTION not in str([event.data for event in scenario.events])
    assert get_handoffs(entry).open == {}


async def test_what_is_told_in_time_is_not_handed_off(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    long = "These are the words of a long story. " * 10
    gateway.script(Reply(chunks=(long, ANSWER)), Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await conversation.delta_received.wait()
    scenario.end_patience()
    gateway.proceed()

    assert ANSWER in speech(await question)
    assert get_ongoing(entry).handoffs == {}
    assert scenario.messages == []


async def test_a_chat_waits(
    scenario: HandoffScenario, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION))
    await gateway.wait_paused()
    scenario.end_patience()
    gateway.proceed()

    assert speech(await question) == ANSWER


@pytest.mark.parametrize(
    "agent_settings",
    [{"handoff_after": AFTER, "handoff_sentence": "One moment, please."}],
)
async def test_the_sentence_can_be_changed(
    scenario: HandoffScenario, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))

    said = await scenario.ask()

    assert said == "One moment, please."
    gateway.proceed()
    await scenario.wait_ended()


async def test_the_sentence_and_failures_are_in_the_language_of_the_question(
    scenario: HandoffScenario, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Fail("500 mock failure"))

    said = await scenario.ask(language="de-AT")
    gateway.proceed()
    await scenario.wait_ended()

    assert said.startswith("Ich kümmere mich darum")
    [text] = scenario.messages
    assert text.startswith("Ich bin mit deiner Bitte nicht fertig geworden. Der Agent")


@both_protocols
@pytest.mark.parametrize(
    ("reply", "said"),
    [("NO_REPLY", "I have nothing to add."), ("—", "I have not finished")],
)
async def test_an_end_without_words_is_told(
    scenario: HandoffScenario, gateway: GatewaySimulator, reply: str, said: str
) -> None:
    gateway.script(Pause(), Reply(reply))
    assert await scenario.ask() == SENTENCE

    gateway.proceed()
    await scenario.wait_ended()

    [text] = scenario.messages
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("answer", "said", "asked"),
    [(ANSWER, [ANSWER], []), ("Shall I go on?", [], ["Shall I go on?"])],
)
async def test_the_device_that_asked_says_the_answer(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    loudspeaker: Satellite,
    answer: str,
    said: list[str],
    asked: list[str],
) -> None:
    gateway.script(Pause(), Reply(answer))
    assert await scenario.ask() == SENTENCE

    gateway.proceed()
    await scenario.wait_ended()

    assert (loudspeaker.said, loudspeaker.asked) == (said, asked)


@both_protocols
async def test_a_drop_of_the_connection_does_not_end_it(
    scenario: HandoffScenario, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    gateway.drop()
    await gateway.wait_for_request("chat.history")
    gateway.proceed()
    await scenario.wait_ended()

    assert scenario.messages == [ANSWER]


@both_protocols
@pytest.mark.parametrize("before", [True, False])
async def test_a_reload_does_not_end_it(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    before: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    if before:
        assert await hass.config_entries.async_unload(entry.entry_id)
        gateway.proceed()
        assert await hass.config_entries.async_setup(entry.entry_id)
    else:
        assert await hass.config_entries.async_reload(entry.entry_id)
        await gateway.wait_for_request("chat.history")
        gateway.proceed()
    await scenario.wait_ended()

    assert scenario.messages == [ANSWER]
    assert scenario.event_types == ["handed_off", "finished"]
    assert len(gateway.received("agent")) == 1


@both_protocols
async def test_a_restart_of_home_assistant_does_not_end_it(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    secret = "and then tell me my secret number 4711 at once"
    long = f"{QUESTION} {'and why ' * 20}{secret}"
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask(long)
    await wait_processed(entry)
    stored = hass_storage[f"clawd.handoffs.{entry.entry_id}"]
    assert secret not in str(stored)
    assert await hass.config_entries.async_unload(entry.entry_id)
    gateway.proceed()
    hass.set_state(CoreState.starting)

    assert await hass.config_entries.async_setup(entry.entry_id)
    await gateway.wait_for_request("chat.history")
    await wait_processed(entry)
    assert scenario.messages == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await scenario.wait_ended()

    assert scenario.messages == [ANSWER]
    assert f"clawd.handoffs.{entry.entry_id}" not in hass_storage


@pytest.mark.parametrize(
    "changes",
    [
        {"asked_at": "nan"},
        {"asked_at": "-infinity"},
        {"state": "unknown"},
        {"question": {"nonsense": 1}},
    ],
)
async def test_what_cannot_be_read_is_dropped(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    changes: dict[str, object],
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    await scenario.set_up_with(**changes)
    gateway.proceed()
    await hass.async_block_till_done()

    assert get_ongoing(entry).handoffs == {}
    assert get_handoffs(entry).open == {}
    assert scenario.messages == []


@both_protocols
async def test_the_gateway_may_be_stopped_meanwhile(
    scenario: HandoffScenario, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    await gateway.crash()
    await gateway.resume()
    await scenario.wait_ended()

    [text] = scenario.messages
    assert text.startswith("I have not finished what you asked for.")


async def test_a_question_that_waits_for_its_turn_is_handed_off(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script_once(Pause(), Reply("First."))
    gateway.script_once(Reply("Second."))
    gateway.hold("agent")
    first = asyncio.create_task(conversation.say("One", device=satellite))
    await gateway.wait_for_request("agent")
    second = asyncio.create_task(conversation.say("Two", device=satellite))
    for _ in range(20):
        await asyncio.sleep(0)
    scenario.end_patience()

    assert speech(await first) == SENTENCE
    assert speech(await second) == SENTENCE
    gateway.release("agent")
    await gateway.wait_paused()
    gateway.proceed()
    await scenario.wait_ended()

    assert scenario.messages == ["First.", "Second."]


async def test_a_second_question_is_answered_at_once_in_a_session_of_its_own(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE

    gateway.script(Reply("It is noon."))
    result = await conversation.say("What time is it?", device=satellite)

    assert speech(result) == "It is noon."
    main, side = sessions(gateway)
    assert side == f"{main}-side1"
    assert WORDS in prompts(gateway)[1]
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == [ANSWER]

    # The session knows its own answer, but not what was said beside it.
    gateway.script(Reply("You are welcome."), Reply("Bye."))
    await conversation.say("Thanks", device=satellite)
    await conversation.say("Bye", device=satellite)
    assert sessions(gateway)[2:] == [main, main]
    noted, later = prompts(gateway)[2:]
    assert "<user_words>What time is it?</user_words>" in noted
    assert "<user_words>It is noon.</user_words>" in noted
    assert ANSWER not in noted
    assert "user_words" not in later


async def test_both_of_two_long_questions_are_told_once(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    gateway.script(Pause(), Reply("Raphael did not."))
    assert await scenario.ask() == SENTENCE
    gateway.script(Reply("Yes."))
    await conversation.say("Both?", device=satellite)

    assert [key[-6:] for key in sessions(gateway)[1:]] == ["-side1", "-side2"]
    assert prompts(gateway)[2].count("<user_words>") == 2
    gateway.proceed()
    gateway.proceed()
    await scenario.wait_ended()

    assert sorted(scenario.messages) == [ANSWER, "Raphael did not."]


async def test_the_session_is_told_of_a_failure(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Fail("500 mock failure"))
    assert await scenario.ask() == SENTENCE
    gateway.proceed()
    await scenario.wait_ended()

    gateway.script(Reply("Sorry."))
    await conversation.say("And?", device=satellite)

    assert WORDS in prompts(gateway)[1]
    assert "I have not finished what you asked for." in prompts(gateway)[1]
