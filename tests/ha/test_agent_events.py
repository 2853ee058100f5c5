"""Events of agents."""

import asyncio
from typing import Any
import uuid

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import Event, HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.clawd.assist.listeners import Message, Owner, get_listeners
from custom_components.clawd.const import DOMAIN, EVENT_HANDOFF
from custom_components.clawd.device_automation.devices import async_find_device_id
from custom_components.clawd.device_automation.events import (
    EVENT_AGENT,
    describe_results,
)
from custom_components.clawd.flows.agent_schema import new_subentry
from custom_components.clawd.gateway import RunResult
from custom_components.clawd.home.announcements import Listener
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import AskUser, Fail, GatewaySimulator, Pause, Reply, Spawn

from .ai_tasks import RIGHT, STRUCTURE, cleaned_up
from .asking import ROOM, approve
from .assist_client import Conversation, wait_processed
from .events import types
from .handoff_scenario import Patience, wait_handoffs
from .states import ACTIVITY, AGENT, CONNECTIVITY, state_of, wait_for_state

SECRET = "the code of the safe"
TOLD = {"type", "device_id", "entry_id", "subentry_id", "agent"}

both_protocols = pytest.mark.parametrize("protocol", [3, 4])


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return settings with a short hand-off."""
    return {"handoff_after": 20, "session_scope": "device"}


@pytest.fixture
def more_subentries() -> list[ConfigSubentryData]:
    """Return an unused second agent."""
    return [new_subentry("main", "other")]


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event[Any]]:
    """Return the events of agents."""
    return async_capture_events(hass, EVENT_AGENT)


def shown(hass: HomeAssistant) -> dict[str, Any]:
    """Return the entity's last event."""
    attributes = state_of(hass, ACTIVITY).attributes
    other = {"event_types", "friendly_name", "icon"}
    return {key: value for key, value in attributes.items() if key not in other}


def secrets_in(events: list[Event[Any]], state: State) -> list[str]:
    """Return texts forbidden in the recorder."""
    recorded = f"{[event.data for event in events]} {state.attributes}"
    return [secret for secret in (SECRET, "agent:main") if secret in recorded]


async def act(hass: HomeAssistant, action: str, **more: object) -> Any:  # noqa: ANN401 - any response
    """Call an action with a question; return its response."""
    data = {"agent": AGENT, "text": SECRET, **more}
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )


async def wait_delivered(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until everything is delivered."""
    await wait_processed(entry)
    while tasks := entry.runtime_data.background_tasks:
        await next(iter(tasks))
        await hass.async_block_till_done()


@both_protocols
async def test_a_reply_is_an_event(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    satellite: str,
    events: list[Event[Any]],
) -> None:
    gateway.script(Reply(SECRET))

    await conversation.say(SECRET, device=satellite, user="ada")
    await hass.async_block_till_done()

    [event] = events
    [subentry, _] = entry.subentries.values()
    assert {key: event.data[key] for key in TOLD} == {
        "type": "reply",
        "device_id": async_find_device_id(hass, entry, subentry.subentry_id),
        "entry_id": entry.entry_id,
        "subentry_id": subentry.subentry_id,
        "agent": "main",
    }
    assert event.data["device_id"]
    told = shown(hass)
    assert told.pop("event_type") == "reply"
    assert told == {key: event.data[key] for key in event.data if key not in TOLD}
    assert set(told) == {"run_id", "seconds", "total_tokens", "cost", "voice_device"}
    assert told["voice_device"] == satellite
    assert told["run_id"] == gateway.received("agent")[0].params["idempotencyKey"]
    assert told["total_tokens"] > 0
    assert event.context.user_id == "ada"
    assert state_of(hass, ACTIVITY).context is event.context
    assert state_of(hass, "event.other_activity").state == "unknown"
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


async def test_a_question_without_an_answer_is_none(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    conversation: Conversation,
    events: list[Event[Any]],
) -> None:
    gateway.script(Fail(SECRET))

    await conversation.say("Hello")
    with pytest.raises(HomeAssistantError):
        await act(hass, "ask")

    assert events == []


@pytest.mark.usefixtures("entry")
async def test_an_answer_to_an_action_is_a_reply(
    hass: HomeAssistant, gateway: GatewaySimulator, events: list[Event[Any]]
) -> None:
    gateway.script(Reply(SECRET))

    response = await act(hass, "ask")

    assert types(events) == ["reply"]
    assert shown(hass)["run_id"] == response["run_id"]
    assert shown(hass)["total_tokens"] == response["usage"]["total_tokens"]
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


@pytest.mark.usefixtures("entry")
async def test_the_tokens_are_of_all_turns(
    hass: HomeAssistant, gateway: GatewaySimulator, events: list[Event[Any]]
) -> None:
    gateway.script_once(Reply("No data."))
    gateway.script_once(Reply(RIGHT))

    response = await act(hass, "ask", structure=STRUCTURE)

    assert types(events) == ["reply"]
    assert shown(hass)["run_id"] == response["run_id"]
    assert shown(hass)["total_tokens"] == response["usage"]["total_tokens"]
    assert isinstance(shown(hass)["seconds"], float)


@pytest.mark.parametrize(
    ("durations", "seconds"),
    [((1.5, 2.0), 3.5), ((None, 2.0), 2.0), ((None, None), None)],
)
def test_the_seconds_are_of_all_turns(
    durations: tuple[float | None, ...], seconds: float | None
) -> None:
    turns = [RunResult(str(n), "", duration=one) for n, one in enumerate(durations)]

    told = describe_results(*turns)

    assert (told["run_id"], told["seconds"]) == ("1", seconds)


async def test_the_end_of_a_task_is_an_event(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    gateway.script_once(Reply(SECRET))
    started = await act(hass, "start_task", name="safe")
    await cleaned_up(entry)

    assert types(events) == ["task_finished"]
    told = shown(hass)
    assert (told["task_id"], told["name"]) == (started["task_id"], "safe")
    assert told["total_tokens"] > 0

    gateway.script_once(Fail(SECRET))
    failed = await act(hass, "start_task")
    await cleaned_up(entry)

    assert types(events) == ["task_finished", "task_failed"]
    assert shown(hass) == {
        "event_type": "task_failed",
        "task_id": failed["task_id"],
        "name": None,
    }
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


@pytest.mark.usefixtures("entry")
async def test_a_canceled_task_is_none(
    hass: HomeAssistant, gateway: GatewaySimulator, events: list[Event[Any]]
) -> None:
    gateway.script(Pause(), Reply("Late."))
    started = await act(hass, "start_task")
    await gateway.wait_until(lambda: gateway.paused > 0)

    await hass.services.async_call(DOMAIN, "cancel_task", started, blocking=True)

    assert events == []


@pytest.mark.parametrize(
    ("answer", "event_type"),
    [(Reply(SECRET), "task_finished"), (Fail(SECRET), "task_failed")],
)
async def test_an_answer_that_is_handed_off_is_a_task(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    patience: Patience,
    satellite: str,
    events: list[Event[Any]],
    answer: Reply | Fail,
    event_type: str,
) -> None:
    handed_off = async_capture_events(hass, EVENT_HANDOFF)
    gateway.script(Pause(), answer)
    await patience.ask(conversation, satellite)
    assert events == []

    gateway.proceed()
    await wait_handoffs(entry)

    assert types(events) == [event_type]
    task_id = handed_off[-1].data["task_id"]
    told = {"task_id": task_id, "seconds": 0}
    if event_type == "task_finished":
        told |= {"run_id": task_id, "total_tokens": 30, "cost": 0}
    assert shown(hass) == {"event_type": event_type, **told}
    assert told.items() <= handed_off[-1].data.items()
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


async def test_a_question_of_the_agent_is_an_event(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    hass.config_entries.async_update_entry(entry, options={"ask_questions": True})
    await hass.async_block_till_done()
    await approve(gateway, entry)
    gateway.script(AskUser([{**ROOM, "question": SECRET}]), Reply("Done."))
    started = await act(hass, "start_task")
    await gateway.wait_until(lambda: bool(gateway.questions.open))
    await wait_processed(entry)

    [question] = gateway.questions.open
    assert types(events) == ["question"]
    assert shown(hass)["question_id"] == question.record["id"]
    assert set(shown(hass)) == {"event_type", "question_id", "expires_at"}
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []
    await hass.services.async_call(DOMAIN, "cancel_task", started, blocking=True)


async def session_of(
    conversation: Conversation, gateway: GatewaySimulator, user: str = "ada"
) -> str:
    """Ask something; return the session."""
    await conversation.say("Hello", user=user)
    [run] = [*gateway.runs.by_id.values()][-1:]
    return run.session.key


async def test_a_finished_picture_is_a_message_from_elsewhere(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    events: list[Event[Any]],
) -> None:
    key = await session_of(conversation, gateway)
    run_id = f"image_generate:{uuid.uuid4()}:ok:agent-loop"

    run = gateway.run("?", Reply(SECRET), session_key=key, run_id=run_id)
    await run.done.wait()
    await wait_delivered(hass, entry)

    assert types(events) == ["reply", "message_from_elsewhere"]
    assert shown(hass) == {
        "event_type": "message_from_elsewhere",
        "source": "media",
        "delivery": "notification",
    }
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


async def test_a_scheduled_job_is_a_message_from_elsewhere(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    events: list[Event[Any]],
) -> None:
    key = await session_of(conversation, gateway)

    job = {"action": "finished", "status": "ok", "jobId": "j", "runAtMs": 1}
    gateway.broadcast("cron", {**job, "sessionKey": key, "summary": SECRET})
    await wait_delivered(hass, entry)

    assert types(events) == ["reply", "message_from_elsewhere"]
    assert shown(hass)["source"] == "job"
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


@both_protocols
async def test_the_end_of_a_sub_agent_is_a_message_from_elsewhere(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    events: list[Event[Any]],
) -> None:
    child = (Pause(), *Spawn().child)
    gateway.script_once(Spawn(child, (Reply(SECRET),)), Reply("I started it."))
    await conversation.say("Look it up", user="ada")
    await gateway.wait_paused()
    gateway.proceed()
    await gateway.wait_until(lambda: len(gateway.runs.by_id) == 3)
    await gateway.wait_until(lambda: not gateway.runs.active())
    await wait_delivered(hass, entry)

    assert types(events) == ["reply", "message_from_elsewhere"]
    assert shown(hass)["source"] == "subagent"
    assert secrets_in(events, state_of(hass, ACTIVITY)) == []


async def test_a_message_that_was_cut_off_is_an_event_once_it_is_shown(
    hass: HomeAssistant, entry: MockConfigEntry, events: list[Event[Any]]
) -> None:
    listeners, [subentry, _] = get_listeners(entry), entry.subentries.values()
    for run_id, subentry_id in (("cron:j:1", subentry.subentry_id), ("r", "gone")):
        owner = Owner(Listener(), "main", subentry_id=subentry_id)
        listeners.unfinished[run_id] = Message(owner, SECRET)
    await listeners.async_save()

    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_delivered(hass, entry)

    assert types(events) == ["message_from_elsewhere"]
    assert shown(hass)["source"] == "job"
    assert shown(hass)["delivery"] == "notification"


async def test_an_event_without_a_connection_is_seen(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    events: list[Event[Any]],
) -> None:
    async with drill_lock(entry).drill():
        await act(hass, "start_task")
        await gateway.suspend()
        await wait_for_state(hass, CONNECTIVITY, "off")
    await asyncio.wait([one.task for one in entry.runtime_data.started_tasks.values()])
    await hass.async_block_till_done()

    assert types(events) == ["task_failed"]
    assert shown(hass)["event_type"] == "task_failed"


@pytest.mark.usefixtures("entry")
async def test_each_agent_has_an_entity_with_every_type(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})
    for entity_id in (ACTIVITY, "event.other_activity"):
        registered = er.async_get(hass).async_get(entity_id)
        assert registered
        assert registered.unique_id == f"{registered.config_subentry_id}_activity"
        assert registered.entity_category is None
        assert state_of(hass, entity_id).attributes["event_types"] == [
            "reply",
            "task_finished",
            "task_failed",
            "question",
            "message_from_elsewhere",
        ]
