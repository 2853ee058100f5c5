"""Stopping of runs."""

import asyncio

from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.assist import ongoing_run, stop
from custom_components.clawd.assist.ongoing import get_ongoing
from custom_components.clawd.assist.stop import (
    STOP_PHRASES,
    StopReport,
    async_describe_stop,
    is_stop,
    raise_if_unstopped,
)
from custom_components.clawd.const import DOMAIN
from custom_components.clawd.gateway import NodeHost
from custom_components.clawd.gateway.node.models import OpenCall
from custom_components.clawd.gateway.runs import aborts
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech, wait_processed
from .fault_harness import poll
from .handoff_scenario import (
    AFTER,
    ANSWER,
    QUESTION,
    SENTENCE,
    HandoffScenario,
    agent_settings,
)
from .states import AGENT, state_of

__all__ = ["agent_settings"]
both_protocols = pytest.mark.parametrize("protocol", [3, 4])
STOP_BUTTON = "button.main_stop"
TASKS = "sensor.openclaw_gateway_tasks"
UNCONFIRMED = "I have stopped listening, but the Gateway has not confirmed"


async def press_stop(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        BUTTON, SERVICE_PRESS, {ATTR_ENTITY_ID: STOP_BUTTON}, blocking=True
    )


async def cancel(hass: HomeAssistant, task_id: str) -> None:
    data = {"task_id": task_id}
    await hass.services.async_call(DOMAIN, "cancel_task", data, blocking=True)


@pytest.mark.parametrize(
    "text",
    [
        *("Stop!", " stop that. ", "STOPP", "Hör auf!", "¡Para ya!", "Arrête ça !"),
        # An accent as a character of its own, full width, a dash.
        *(
            "ho\u0308r auf",
            "Arre\u0302te c\u0327a",
            "\uff33\uff34\uff2f\uff30",
            "Stop - now",
        ),
        *("Please, stop that!", "Bitte stopp", "Hör auf, bitte."),
        *("¡Para, por favor!", "Arrête, s\u2019il te plaît", "Stop alsjeblieft"),
    ],
)
def test_an_utterance_says_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text", ["", "Please", "Stop the music", "Don't stop", "Para Elisa"]
)
def test_an_utterance_says_more_or_less_than_stop(text: str) -> None:
    assert not is_stop(text)


def test_each_language_has_phrases_as_they_are_compared() -> None:
    assert set(STOP_PHRASES) == {"de", "en", "es", "fr", "nl"}
    assert all(is_stop(p) for phrases in STOP_PHRASES.values() for p in phrases)


@both_protocols
async def test_stop_ends_a_handed_off_task(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    assert state_of(hass, TASKS).state == "1"
    [task] = state_of(hass, TASKS).attributes["tasks"]
    assert task["agent"] == "main"

    result = await conversation.say("Stop that!", device=satellite)

    assert speech(result) == "Stopped."
    assert not result.continue_conversation
    assert len(gateway.received("agent")) == 1
    await poll(lambda: not gateway.runs.active())
    await scenario.wait_ended()
    assert scenario.event_types == ["handed_off", "cancelled"]
    assert scenario.messages == []
    assert state_of(hass, TASKS).state == "0"


async def test_stop_is_a_question_where_nothing_goes_on(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply("Stop what?"))

    assert speech(await conversation.say("stop", device=satellite)) == "Stop what?"


async def test_stop_of_another_device_stops_nothing(
    scenario: HandoffScenario, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    gateway.script(Reply("Stop what?"))

    assert speech(await conversation.say("stop")) == "Stop what?"

    gateway.proceed()
    await scenario.wait_ended()


async def test_stop_of_another_device_of_the_same_user_stops_nothing(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_admin_user: MockUser,
) -> None:
    user = hass_admin_user.id
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask(user=user)
    gateway.script(Reply("Stop what?"))

    result = await conversation.say("stop", device="tablet", user=user)

    assert speech(result) == "Stop what?"
    gateway.proceed()
    await scenario.wait_ended()


async def test_who_may_not_control_an_agent_cancels_no_task_of_it(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    hass_read_only_user: MockUser,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    [handed_off] = get_ongoing(entry).handoffs
    gateway.script(Pause(), Reply(ANSWER))
    task = {"agent": AGENT, "text": QUESTION}
    started = await hass.services.async_call(
        DOMAIN, "start_task", task, blocking=True, return_response=True
    )
    assert started
    context = Context(user_id=hass_read_only_user.id)

    for task_id in (handed_off, started["task_id"]):
        data = {"task_id": task_id}
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN, "cancel_task", data, blocking=True, context=context
            )
    assert state_of(hass, TASKS).state == "2"

    for task_id in (handed_off, started["task_id"]):
        await cancel(hass, str(task_id))
    await scenario.wait_ended()


@pytest.mark.parametrize("by", ["conversation", "user"])
async def test_stop_in_a_chat_ends_its_answer(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_admin_user: MockUser,
    by: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    chat = "chat" if by == "conversation" else None
    user = hass_admin_user.id if by == "user" else None
    question = asyncio.create_task(conversation.say(QUESTION, chat, user=user))
    await gateway.wait_paused()

    result = await conversation.say("stop", chat, user=user)

    assert speech(result) == "Stopped."
    assert speech(await question) == "The reply was stopped"


@both_protocols
async def test_an_interrupted_pipeline_stops_the_run(
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await gateway.wait_paused()

    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question

    await poll(lambda: not gateway.runs.active())
    assert get_ongoing(entry).all == ()


async def test_a_question_that_waits_for_the_gateway_is_stopped(
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.hold("agent")
    question = asyncio.create_task(conversation.say(QUESTION, device=satellite))
    await gateway.wait_for_request("agent")

    assert speech(await conversation.say("stop", device=satellite)) == "Stopped."

    assert speech(await question) == "The reply was stopped"
    gateway.release("agent")
    await gateway.wait_for_request("chat.abort")
    assert get_ongoing(entry).all == ()


async def test_the_button_stops_all_runs_of_an_agent(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    chat = asyncio.create_task(conversation.say("Another"))
    await gateway.wait_until(lambda: gateway.paused == 2)

    await press_stop(hass)

    assert speech(await chat) == "The reply was stopped"
    await scenario.wait_ended()
    assert get_ongoing(entry).all == ()
    await press_stop(hass)


@pytest.mark.parametrize("refused", [False, True])
async def test_what_the_agent_has_started_is_stopped_too(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    refused: bool,  # noqa: FBT001
) -> None:
    gateway.images.image = b"picture"
    gateway.images.status = "running"
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    [run] = get_ongoing(entry).all
    client = entry.runtime_data.client
    for key in (run.session_key, "agent:main:another"):
        await client.tools.invoke("image_generate", {"prompt": "a cat"}, key)
    if refused:
        gateway.refuse_method("tasks.cancel")

    result = await conversation.say("stop", device=satellite)

    left = "Something that the agent had started in the background goes on."
    assert speech(result) == (f"Stopped. {left}" if refused else "Stopped.")
    states = [task["status"] for task in gateway.images.tasks.values()]
    assert states == ["running" if refused else "cancelled", "running"]


@pytest.mark.parametrize("refused", [True, False])
async def test_what_the_gateway_does_not_tell_of_tasks_is_told(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
    refused: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(stop, "STOP_TIMEOUT", 0.02)
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    if refused:
        gateway.refuse_method("tasks.list")
    else:
        gateway.hold("tasks.list")

    result = await conversation.say("stop", device=satellite)

    assert speech(result) == (
        "Stopped. The Gateway has not told whether something that the agent had "
        "started in the background goes on."
    )
    if not refused:
        gateway.release("tasks.list")
    await scenario.wait_ended()


async def test_tasks_are_cancelled_while_the_gateway_stops_the_run(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    gateway.hold("chat.abort")

    said = asyncio.create_task(conversation.say("stop", device=satellite))
    await gateway.wait_for_request("tasks.list")
    assert not said.done()
    gateway.release("chat.abort")

    assert speech(await said) == "Stopped."
    await scenario.wait_ended()


@pytest.mark.parametrize("protocol", [4])
@pytest.mark.parametrize(
    "agent_settings",
    [{"handoff_after": AFTER, "session_scope": "device", "home_access": "control"}],
)
@pytest.mark.parametrize("own", [True, False])
async def test_only_an_action_of_what_is_stopped_is_told(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
    own: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    [run] = get_ongoing(entry).all
    key = run.session_key if own else "agent:main:another"
    calls = (OpenCall(1.0, key), OpenCall(1.0))
    monkeypatch.setattr(NodeHost, "open_calls", property(lambda _: calls))

    result = await conversation.say("stop", device=satellite)

    told_of_it = " An action in the home that had begun may go on." if own else ""
    assert speech(result) == f"Stopped.{told_of_it}"
    await scenario.wait_ended()


async def test_an_action_of_the_home_that_has_begun_is_told(
    hass: HomeAssistant,
) -> None:
    report = StopReport(runs=1, actions=1)

    text = await async_describe_stop(hass, "en", report)

    assert text == "Stopped. An action in the home that had begun may go on."
    with pytest.raises(HomeAssistantError) as error:
        raise_if_unstopped(report)
    assert error.value.translation_key == "stop_actions"


async def test_the_action_cancels_a_handed_off_task(
    scenario: HandoffScenario,
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    task_id = scenario.events[0].data["task_id"]

    await cancel(hass, task_id)
    await scenario.wait_ended()

    assert scenario.event_types == ["handed_off", "cancelled"]
    with pytest.raises(ServiceValidationError):
        await cancel(hass, task_id)


@both_protocols
async def test_what_the_gateway_does_not_confirm_is_told(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    monkeypatch: pytest.MonkeyPatch,
    protocol: int,
) -> None:
    monkeypatch.setattr(ongoing_run, "STOP_TIMEOUT", 0.02)
    gateway.script(Pause(), Reply(ANSWER))
    assert await scenario.ask() == SENTENCE
    gateway.hold("chat.abort" if protocol == 4 else "chat.send")

    result = await conversation.say("stop", device=satellite)

    assert speech(result).startswith(UNCONFIRMED)
    # It was not stopped, and finishes nevertheless.
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == [
        f"What I had said was not finished is done after all: {ANSWER}"
    ]


async def test_what_the_gateway_does_not_confirm_is_an_error_of_the_button(  # noqa: PLR0913, PLR0917
    scenario: HandoffScenario,
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ongoing_run, "STOP_TIMEOUT", 0.02)
    gateway.script(Pause(), Reply(ANSWER))
    chat = asyncio.create_task(conversation.say(QUESTION))
    await gateway.wait_paused()
    await wait_processed(entry)
    gateway.hold("chat.abort")

    with pytest.raises(HomeAssistantError) as error:
        await press_stop(hass)

    assert error.value.translation_key == "stop_unconfirmed"
    assert speech(await chat) == "The reply was stopped"
    gateway.release("chat.abort")
    await scenario.wait_ended()
    assert scenario.messages == []


async def test_a_stop_without_a_connection_reaches_the_gateway_later(
    scenario: HandoffScenario, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    gateway.hold("connect")
    gateway.drop()
    await gateway.wait_for_request("connect", 2)

    [run] = get_ongoing(entry).all
    assert not await run.async_stop()

    gateway.release("connect")
    await scenario.wait_ended()
    assert not gateway.runs.active()
    assert scenario.messages == []


@pytest.mark.parametrize("agent_settings", [{"deadline": 0.02}])
async def test_an_answer_after_its_deadline_is_told(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aborts, "STOP_TIMEOUT", 0.02)
    gateway.script(Pause(), Reply(ANSWER))
    gateway.hold("chat.abort")

    result = await conversation.say(QUESTION)

    assert "It was told to stop, but may go on" in speech(result)
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.messages == [
        f"What I had said was not finished is done after all: {ANSWER}"
    ]
