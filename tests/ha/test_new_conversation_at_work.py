"""New conversations while agents are at work."""

import asyncio

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.new_conversation import async_new_conversation
from custom_components.clawd.assist.sessions import get_sessions
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech
from .fault_harness import poll
from .handoff_scenario import (
    ANSWER,
    HandoffScenario,
    Patience,
    agent_settings,
    wait_handoffs,
)
from .test_new_conversation import press, sent, with_settings

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

__all__ = ["agent_settings"]


async def rest() -> None:
    """Yield to background tasks."""
    for _ in range(100):
        await asyncio.sleep(0)


@with_settings(session_scope="shared")
async def test_run_goes_on_and_its_session_is_deleted_at_its_end(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()
    [key] = gateway.runs.sessions

    await press(hass)
    await rest()
    assert key in gateway.runs.sessions
    gateway.proceed()

    assert speech(await first).endswith("Done.")
    await poll(lambda: key not in gateway.runs.sessions)


@pytest.mark.parametrize("reloaded", [False, True])
async def test_handed_off_run_is_told_and_its_session_is_deleted_then(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    patience: Patience,
    scenario: HandoffScenario,
    *,
    reloaded: bool,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, "kitchen")
    [key] = gateway.runs.sessions

    await press(hass)
    if reloaded:
        assert await hass.config_entries.async_reload(entry.entry_id)
    await rest()
    assert key in gateway.runs.sessions
    gateway.proceed()
    await wait_handoffs(entry)

    assert scenario.messages == [ANSWER]
    await poll(lambda: key not in gateway.runs.sessions)
    assert key not in get_sessions(entry).known


@with_settings(session_scope="shared")
async def test_run_that_ends_with_its_entry_leaves_its_session(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Reply("Wait."), Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()
    await press(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await first

    assert sent(gateway)[0] in gateway.runs.sessions


@with_settings(session_scope="shared")
async def test_question_that_waited_begins_the_new_conversation(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.script(Reply("Wait."), Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()
    gateway.script(Reply("Hi."))
    second = asyncio.create_task(Conversation(hass).say("Second"))
    await rest()

    await press(hass)
    gateway.proceed()

    assert speech(await second) == "Hi."
    await first
    [old, new] = sent(gateway)
    assert new == f"{old}-1"
    assert gateway.permission_modes[new] == "guarded"
    await poll(lambda: old not in gateway.runs.sessions)
    assert old not in get_sessions(entry).applied


async def test_spoken_question_that_waited_is_handed_off_in_the_new_conversation(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    patience: Patience,
) -> None:
    gateway.script(Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello", device="kitchen"))
    await gateway.wait_paused()
    gateway.script(Pause(), Reply(ANSWER))
    second = asyncio.create_task(Conversation(hass).say("Second", device="kitchen"))
    await rest()
    await press(hass)
    patience.end()
    await asyncio.gather(first, second)

    gateway.proceed()
    await gateway.wait_until(lambda: len(sent(gateway)) == 2)
    await gateway.wait_paused()
    await rest()
    [old, new] = sent(gateway)
    keys = {h.question.session_key for h in get_handoffs(entry).open.values()}

    assert new == f"{old}-1"
    assert new in keys
    gateway.proceed()
    await wait_handoffs(entry)
    await poll(lambda: set(gateway.runs.sessions) == {new})


@pytest.mark.parametrize(
    ("agent_settings", "named"),
    [
        ({"handoff_after": 20, "session_scope": "device"}, False),
        ({"handoff_after": 20, "session_scope": "named", "session_name": "Us"}, True),
    ],
)
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("every", [False, True])
async def test_sessions_beside_begin_anew_with_theirs(  # noqa: PLR0913
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    patience: Patience,
    *,
    named: bool,
    busy: bool,
    every: bool,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, "kitchen")
    if busy:
        gateway.script(Pause(), Reply(ANSWER))
        await patience.ask(conversation, "kitchen", "And this?")
    else:
        gateway.script(Reply("Nothing."))
        await conversation.say("What is new?", device="kitchen")
        gateway.proceed()
        await wait_handoffs(entry)
    main, side = sent(gateway)
    assert side == f"{main}-side1"

    if every:
        await press(hass)
    else:
        [subentry] = entry.subentries.values()
        await async_new_conversation(hass, entry, subentry, main, named=named)
    if busy:
        gateway.proceed()
        gateway.proceed()
    await wait_handoffs(entry)

    await poll(lambda: not gateway.runs.sessions)
    assert not get_sessions(entry).known
    gateway.script(Reply("Hi."))
    await Conversation(hass).say("Hello", device="kitchen")
    assert (sent(gateway)[-1] == main) is (named and not busy)
