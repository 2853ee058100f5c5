"""Hand-off of long answers."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any, Final

from homeassistant.components.conversation import AssistantContent
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.clawd import client_factory
from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.const import EVENT_HANDOFF
from custom_components.clawd.gateway import Timing
from custom_components.clawd.gateway.runs import recovery
from tests.simulator import Fail, GatewaySimulator, Pause, Reply

from .assist_client import Conversation, catch_up, speech
from .events import types
from .voice_devices import Satellite

both_protocols = pytest.mark.parametrize("protocol", [3, 4])
SENTENCE: Final = "I'm on it; I'll tell you when it's done."
QUESTION: Final = "Find out who painted the ceiling"
ANSWER: Final = "It was Michelangelo."
AFTER: Final = 20
WORDS: Final = f"<user_words>{QUESTION}</user_words>"

type Notifications = dict[str, dict[str, Any]]


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Let each device have a session."""
    return {"handoff_after": AFTER, "session_scope": "device"}


@pytest.fixture(autouse=True)
def _short_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a Gateway that does not know a run no longer than needed."""
    timing = partial(Timing, wait_timeout=0.02, poll_interval=0.01)
    monkeypatch.setattr(client_factory, "Timing", timing)
    monkeypatch.setattr(recovery, "UPTIME_TOLERANCE", 0.0)


@pytest.fixture
def notifications(hass: HomeAssistant) -> Notifications:
    """Return the notifications."""
    found: Notifications = hass.data.setdefault("persistent_notification", {})
    return found


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event]:
    """Return the events of hand-offs."""
    return async_capture_events(hass, EVENT_HANDOFF)


def told(notifications: Notifications) -> list[str]:
    """Return the messages in order."""
    return [str(shown["message"]) for shown in notifications.values()]


async def ends(entry: MockConfigEntry) -> None:
    """Wait until no hand-off is left."""
    while tasks := get_ongoing(entry).handoffs:
        await asyncio.wait([*tasks.values()])
        await asyncio.sleep(0)


@pytest.fixture
def patience(hass: HomeAssistant, gateway: GatewaySimulator) -> Patience:
    """Return an impatient user."""
    return Patience(hass, gateway)


class Patience:
    """Patience of a user at a voice device."""

    def __init__(self, hass: HomeAssistant, gateway: GatewaySimulator) -> None:
        """Initialize without questions."""
        self._hass = hass
        self._gateway = gateway

    def end(self) -> None:
        """Let the time pass after which a question is handed off."""
        later = dt_util.utcnow() + timedelta(seconds=AFTER + 1)
        async_fire_time_changed(self._hass, later)

    async def ask(
        self, conversation: Conversation, device: str, text: str = QUESTION, **more: str
    ) -> str:
        """Ask a long question and leave."""
        paused = self._gateway.paused
        said = conversation.say(text, device=device, **more)
        question = asyncio.create_task(said)
        await self._gateway.wait_until(lambda: self._gateway.paused > paused)
        for _ in range(20):
            await asyncio.sleep(0)
        self.end()
        result = await question
        assert not result.continue_conversation
        return speech(result)


def prompts(gateway: GatewaySimulator) -> list[str]:
    return [r.params["extraSystemPrompt"] for r in gateway.received("agent")]


def sessions(gateway: GatewaySimulator) -> list[str]:
    return [request.params["sessionKey"] for request in gateway.received("agent")]


@both_protocols
async def test_a_long_answer_is_handed_off_and_told(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
    events: list[Event],
) -> None:
    gateway.script(Pause(), Reply(f"**{ANSWER}** See [this](https://e.example/a)."))

    assert await patience.ask(conversation, satellite) == SENTENCE

    assert isinstance(last := conversation.content[-1], AssistantContent)
    assert last.content == SENTENCE
    assert conversation.deltas == []
    gateway.proceed()
    await ends(entry)
    assert told(notifications) == [f"{ANSWER} See this."]
    assert [shown["title"] for shown in notifications.values()] == ["main"]
    assert types(events) == ["handed_off", "finished"]
    assert {event.data["task_id"] for event in events} == {
        gateway.received("agent")[0].params["idempotencyKey"]
    }
    assert QUESTION not in str([event.data for event in events])
    assert get_handoffs(entry).open == {}


async def test_what_is_told_in_time_is_not_handed_off(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    long = "These are the words of a long story. " * 10
    gateway.script(Reply(chunks=(long, ANSWER)), Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await conversation.delta_received.wait()
    patience.end()
    gateway.proceed()

    assert ANSWER in speech(await question)
    assert get_ongoing(entry).handoffs == {}
    assert told(notifications) == []


async def test_a_chat_waits(
    conversation: Conversation, patience: Patience, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION))
    await gateway.wait_paused()
    patience.end()
    gateway.proceed()

    assert speech(await question) == ANSWER


@pytest.mark.parametrize(
    "agent_settings",
    [{"handoff_after": AFTER, "handoff_sentence": "One moment, please."}],
)
async def test_the_sentence_can_be_changed(
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))

    said = await patience.ask(conversation, satellite)

    assert said == "One moment, please."
    gateway.proceed()
    await ends(entry)


async def test_the_sentence_and_failures_are_in_the_language_of_the_question(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Fail("500 mock failure"))

    said = await patience.ask(conversation, satellite, language="de-AT")
    gateway.proceed()
    await ends(entry)

    assert said.startswith("Ich kümmere mich darum")
    [text] = told(notifications)
    assert text.startswith("Ich bin mit deiner Bitte nicht fertig geworden. Der Agent")


@both_protocols
@pytest.mark.parametrize(
    ("reply", "said"),
    [("NO_REPLY", "I have nothing to add."), ("—", "I have not finished")],
)
async def test_an_end_without_words_is_told(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
    reply: str,
    said: str,
) -> None:
    gateway.script(Pause(), Reply(reply))
    assert await patience.ask(conversation, satellite) == SENTENCE

    gateway.proceed()
    await ends(entry)

    [text] = told(notifications)
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("answer", "said", "asked"),
    [(ANSWER, [ANSWER], []), ("Shall I go on?", [], ["Shall I go on?"])],
)
async def test_the_device_that_asked_says_the_answer(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    loudspeaker: Satellite,
    answer: str,
    said: list[str],
    asked: list[str],
) -> None:
    gateway.script(Pause(), Reply(answer))
    assert await patience.ask(conversation, satellite) == SENTENCE

    gateway.proceed()
    await ends(entry)

    assert (loudspeaker.said, loudspeaker.asked) == (said, asked)


@both_protocols
async def test_a_drop_of_the_connection_does_not_end_it(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE

    gateway.drop()
    await gateway.wait_for_request("chat.history")
    gateway.proceed()
    await ends(entry)

    assert told(notifications) == [ANSWER]


@both_protocols
@pytest.mark.parametrize("before", [True, False])
async def test_a_reload_does_not_end_it(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
    events: list[Event],
    before: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE

    if before:
        assert await hass.config_entries.async_unload(entry.entry_id)
        gateway.proceed()
        assert await hass.config_entries.async_setup(entry.entry_id)
    else:
        assert await hass.config_entries.async_reload(entry.entry_id)
        await gateway.wait_for_request("chat.history")
        gateway.proceed()
    await ends(entry)

    assert told(notifications) == [ANSWER]
    assert types(events) == ["handed_off", "finished"]
    assert len(gateway.received("agent")) == 1


@both_protocols
async def test_a_restart_of_home_assistant_does_not_end_it(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    secret = "and then tell me my secret number 4711 at once"
    long = f"{QUESTION} {'and why ' * 20}{secret}"
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, satellite, long)
    await catch_up(entry)
    stored = hass_storage[f"clawd.handoffs.{entry.entry_id}"]
    assert secret not in str(stored)
    assert await hass.config_entries.async_unload(entry.entry_id)
    gateway.proceed()
    hass.set_state(CoreState.starting)

    assert await hass.config_entries.async_setup(entry.entry_id)
    await gateway.wait_for_request("chat.history")
    await catch_up(entry)
    assert told(notifications) == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await ends(entry)

    assert told(notifications) == [ANSWER]
    assert f"clawd.handoffs.{entry.entry_id}" not in hass_storage


async def set_up_with(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    entry: MockConfigEntry,
    **changes: object,
) -> None:
    """Set up again with changed hand-offs."""
    await catch_up(entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    [row] = hass_storage[f"clawd.handoffs.{entry.entry_id}"]["data"]["handoffs"]
    row.update(changes)
    assert await hass.config_entries.async_setup(entry.entry_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"asked_at": 0.0},
        {"state": "unknown"},
        {"question": {"nonsense": 1}},
    ],
)
async def test_what_is_too_old_or_cannot_be_read_is_dropped(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
    changes: dict[str, object],
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE

    await set_up_with(hass, hass_storage, entry, **changes)
    gateway.proceed()
    await hass.async_block_till_done()

    assert get_ongoing(entry).handoffs == {}
    assert get_handoffs(entry).open == {}
    assert told(notifications) == []


@both_protocols
async def test_the_gateway_may_be_stopped_meanwhile(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE

    await gateway.crash()
    await gateway.resume()
    await ends(entry)

    [text] = told(notifications)
    assert text.startswith("I have not finished what you asked for.")


async def test_a_question_that_waits_for_its_turn_is_handed_off(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script_once(Pause(), Reply("First."))
    gateway.script_once(Reply("Second."))
    gateway.hold("agent")
    first = asyncio.create_task(conversation.say("One", device=satellite))
    await gateway.wait_for_request("agent")
    second = asyncio.create_task(conversation.say("Two", device=satellite))
    for _ in range(20):
        await asyncio.sleep(0)
    patience.end()

    assert speech(await first) == SENTENCE
    assert speech(await second) == SENTENCE
    gateway.release("agent")
    await gateway.wait_paused()
    gateway.proceed()
    await ends(entry)

    assert told(notifications) == ["First.", "Second."]


async def test_a_second_question_is_answered_at_once_in_a_session_of_its_own(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE

    gateway.script(Reply("It is noon."))
    result = await conversation.say("What time is it?", device=satellite)

    assert speech(result) == "It is noon."
    main, side = sessions(gateway)
    assert side == f"{main}-side1"
    assert WORDS in prompts(gateway)[1]
    gateway.proceed()
    await ends(entry)
    assert told(notifications) == [ANSWER]

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


async def test_both_of_two_long_questions_are_told_once(  # noqa: PLR0913, PLR0917
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE
    gateway.script(Pause(), Reply("Raphael did not."))
    assert await patience.ask(conversation, satellite) == SENTENCE
    gateway.script(Reply("Yes."))
    await conversation.say("Both?", device=satellite)

    assert [key[-6:] for key in sessions(gateway)[1:]] == ["-side1", "-side2"]
    assert prompts(gateway)[2].count("<user_words>") == 2
    gateway.proceed()
    gateway.proceed()
    await ends(entry)

    assert sorted(told(notifications)) == [ANSWER, "Raphael did not."]


async def test_the_session_is_told_of_a_failure(
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Fail("500 mock failure"))
    assert await patience.ask(conversation, satellite) == SENTENCE
    gateway.proceed()
    await ends(entry)

    gateway.script(Reply("Sorry."))
    await conversation.say("And?", device=satellite)

    assert WORDS in prompts(gateway)[1]
    assert "I have not finished what you asked for." in prompts(gateway)[1]
