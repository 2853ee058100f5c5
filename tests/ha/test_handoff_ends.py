"""Failures and limits of hand-offs."""

import asyncio
import time

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import handoff
from custom_components.clawd.assist.handoff_store import (
    MAX_DELIVERED,
    Handoff,
    get_handoffs,
)
from custom_components.clawd.assist.ongoing import OngoingRuns, async_ask, get_ongoing
from custom_components.clawd.assist.question import Question
from custom_components.clawd.assist.side_session import Task, beside
from custom_components.clawd.gateway import (
    ConnectionLostError,
    ConnectionState,
    NotConnectedError,
)
from custom_components.clawd.gateway.runs import aborts
from custom_components.clawd.home.service import get_home
from custom_components.clawd.sentences import async_get_error_text
from custom_components.clawd.util.moment import Moment
from tests.simulator import GatewaySimulator, Pause, Refuse, Reply

from .assist_client import Conversation, speech, wait_processed
from .downloads import Download
from .fault_harness import poll
from .handoff_scenario import ANSWER, QUESTION, HandoffScenario, agent_settings
from .voice_devices import Satellite

__all__ = ["agent_settings"]
ASKED = Question(text=QUESTION, conversation_id="c", language="en")


@pytest.mark.parametrize("confirmed", [True, False])
async def test_the_end_of_the_hour_is_told(
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    confirmed: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(handoff, "RESUME_TIME", 0.0)
    monkeypatch.setattr(aborts, "STOP_TIMEOUT", 0.05 if not confirmed else 3.0)
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    if not confirmed:
        gateway.hold("chat.abort")

    asked_at = time.time() - 3700
    await scenario.set_up_with(asked_at=asked_at)
    await poll(lambda: len(scenario.messages) == 1)

    assert scenario.messages[0].startswith(
        "I have not finished what you asked for. The agent took too long"
    )
    assert ("may go on" in scenario.messages[0]) is not confirmed
    gateway.proceed()
    await scenario.wait_ended()
    assert scenario.event_types == ["handed_off", "failed", *["finished"][confirmed:]]
    assert (
        scenario.messages[1:]
        == [f"What I had said was not finished is done after all: {ANSWER}"][confirmed:]
    )


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_run_is_found_after_a_pause_of_the_client(
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    in_time: bool,  # noqa: FBT001
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    if not in_time:
        monkeypatch.setattr(handoff, "MAX_HANDOFF_AGE", 0.0)
    client, token = entry.runtime_data.client, gateway.token
    gateway.token = "another"
    entry.runtime_data.credentials.device_token = None
    gateway.drop()
    await poll(lambda: client.state is ConnectionState.PAUSED)
    gateway.proceed()
    if in_time:
        gateway.token = token
        client.resume()

    await scenario.wait_ended()

    [text] = scenario.messages
    assert (text == ANSWER) is in_time
    gateway.token = token


async def test_an_announcement_can_be_cancelled(
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    loudspeaker: Satellite,
) -> None:
    loudspeaker.may_end.clear()
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    gateway.proceed()
    await loudspeaker.begun.wait()

    runs = get_ongoing(entry)
    assert await runs.async_cancel(scenario.events[0].data["task_id"])
    assert not await runs.async_cancel(scenario.events[0].data["task_id"])

    assert scenario.event_types == ["handed_off", "cancelled"]
    assert get_handoffs(entry).open == {}
    assert loudspeaker.said == []
    loudspeaker.may_end.set()


@pytest.mark.parametrize("protocol", [4])
@pytest.mark.parametrize(
    "agent_settings", [{"handoff_after": 12, "home_access": "control"}]
)
async def test_a_resumed_run_acts_for_who_asked(
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()

    await scenario.set_up_with()
    [run] = get_ongoing(entry).all
    await run.wait_started()

    home = get_home(entry)
    assert home
    origin = home.origins.current(run.session_key)
    assert origin
    assert (origin.device_id, origin.by_person) == (satellite, True)
    gateway.proceed()
    await scenario.wait_ended()


async def test_a_question_whose_entry_is_unloaded_says_so(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    question = asyncio.create_task(conversation.say(QUESTION))
    await gateway.wait_paused()
    await wait_processed(entry)

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert speech(await question).startswith("The connection to the Gateway was lost")


async def test_a_reader_may_leave_and_another_one_go_on(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Reply("One. "), Pause(), Reply("Two."))
    [subentry] = entry.subentries.values()
    run = await async_ask(hass, entry, subentry, ASKED)
    assert run in get_ongoing(entry).all
    first = []
    async for delta in run.deltas():
        first.append(delta)
        if delta.get("content"):
            run.detach()
    gateway.proceed()

    run.attach()
    second = [delta async for delta in run.deltas()]

    assert [delta.get("content") for delta in first] == [None, "One. "]
    assert second[0] == {"role": "assistant"}
    assert "Two." in "".join(str(d.get("content") or "") for d in second)
    assert (await run.result()).text.endswith("Two.")
    assert QUESTION not in repr(run)
    assert not await run.async_stop()


def test_only_so_many_sessions_stand_beside_a_busy_one() -> None:
    main = "agent:main:busy"
    assert beside(main, ASKED, [], set()).session_key == main
    tasks = [Task(main, "What?", 0.0), Task("agent:main:other", "Who?", 0.0)]

    first = beside(main, ASKED, tasks, {main})
    assert first.session_key == f"{main}-side1"
    assert "What?" in str(first.extra_system_prompt)
    assert "Who?" not in str(first.extra_system_prompt)
    busy = {f"{main}-side{number}" for number in range(1, 9)}
    assert beside(main, ASKED, tasks, busy).session_key == main


def test_what_is_kept_is_bounded(entry: MockConfigEntry) -> None:
    runs, handoffs = OngoingRuns(), get_handoffs(entry)
    for number in range(100):
        runs.note(str(number), "note")
        name = Handoff(
            id=str(number), subentry_id="s", question=ASKED, asked=Moment.now()
        )
        handoffs.count_delivery(name)
    for number in range(20):
        runs.note("99", str(number))

    assert runs.take_notes("0") == ()
    assert runs.take_notes("99") == tuple(map(str, range(12, 20)))
    assert len(handoffs.deliveries) == MAX_DELIVERED
    handoffs.deliveries.clear()


async def test_an_error_of_another_integration_is_told_as_it_is(
    hass: HomeAssistant,
) -> None:
    error = HomeAssistantError("Out of paper")

    assert await async_get_error_text(hass, "de", error) == "Out of paper"


async def test_the_diagnostics_show_hand_offs_without_their_content(
    scenario: HandoffScenario,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    download: Download,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)

    document = await download()

    assert '"state": "running"' in document
    for secret in (QUESTION, satellite):
        assert secret not in document
    gateway.proceed()
    await scenario.wait_ended()


async def test_a_run_that_is_lost_with_its_connection_is_found_again(
    scenario: HandoffScenario, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    await wait_processed(entry)
    [run] = get_ongoing(entry).all
    assert run.run
    run.run.fail(ConnectionLostError("injected"))

    await gateway.wait_for_request("chat.history")
    gateway.proceed()
    await scenario.wait_ended()

    assert scenario.messages == [ANSWER]


async def test_a_run_is_cancelled_by_its_id(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    [subentry] = entry.subentries.values()
    run = await async_ask(hass, entry, subentry, ASKED)

    assert await get_ongoing(entry).async_cancel(run.id)

    assert get_ongoing(entry).all == ()


async def test_a_question_beside_a_task_that_fails_leaves_no_note(
    scenario: HandoffScenario,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await scenario.ask()
    [run] = get_ongoing(entry).all
    gateway.script(Refuse())

    await conversation.say("And you?", device=satellite)
    gateway.proceed()
    await scenario.wait_ended()

    assert get_ongoing(entry).take_notes(run.session_key) == ()


async def test_nothing_is_asked_of_an_entry_that_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    [subentry] = entry.subentries.values()
    assert await hass.config_entries.async_unload(entry.entry_id)

    with pytest.raises(NotConnectedError):
        await async_ask(hass, entry, subentry, ASKED)
