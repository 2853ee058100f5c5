"""New conversations of an agent."""

import asyncio

from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.new_conversation import async_new_conversation
from custom_components.clawd.assist.sessions import get_sessions
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, speech
from .fault_harness import poll

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

NEW = "button.main_new_conversation"
NAMED = {"session_scope": "named", "session_name": "Living Room"}


def with_settings(**settings: object) -> pytest.MarkDecorator:
    """Let the agent have settings."""
    return pytest.mark.parametrize("agent_settings", [settings])


def sent(gateway: GatewaySimulator) -> list[str]:
    """Return the session keys of the runs."""
    return [request.params["sessionKey"] for request in gateway.received("agent")]


async def press(hass: HomeAssistant) -> None:
    """Begin a new conversation."""
    await hass.services.async_call(
        BUTTON, SERVICE_PRESS, {ATTR_ENTITY_ID: NEW}, blocking=True
    )


async def test_every_session_begins_anew_and_the_old_ones_are_deleted(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    for device in ("kitchen", "bath"):
        await conversation.say("Hello", device=device)
    old = set(sent(gateway))
    assert old == set(gateway.runs.sessions)

    await press(hass)
    await poll(lambda: not old & set(gateway.runs.sessions))
    for device in ("kitchen", "bath", "hall"):
        await conversation.say("Hello", device=device)

    new = sent(gateway)[2:]
    assert not old & {*new}
    assert len({*new}) == 3
    assert await hass.config_entries.async_reload(entry.entry_id)
    await conversation.say("Again", device="kitchen")
    assert sent(gateway)[-1] == new[0]


@with_settings(permissions="gateway", model="mock/thinker")
async def test_new_session_gets_its_model_again(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello", device="kitchen")
    await press(hass)
    await conversation.say("Hello", device="kitchen")

    chosen = [
        request.params["key"]
        for request in gateway.received("sessions.patch")
        if "model" in request.params
    ]
    assert chosen == sent(gateway)


@with_settings(**NAMED)
async def test_named_session_keeps_its_name(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello")
    session = gateway.runs.sessions["agent:main:ha-living_room"]
    await press(hass)
    assert not gateway.runs.sessions
    await conversation.say("Hello")

    assert sent(gateway) == ["agent:main:ha-living_room"] * 2
    assert gateway.runs.sessions["agent:main:ha-living_room"] is not session
    assert set(gateway.permission_modes.values()) == {"guarded"}


@with_settings(**NAMED)
async def test_named_session_that_answers_is_left_to_be_deleted_later(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()

    await press(hass)
    gateway.script(Reply("Hi."))
    await Conversation(hass).say("Second")
    assert "agent:main:ha-living_room" in gateway.runs.sessions
    gateway.proceed()
    assert speech(await first).endswith("Done.")
    await Conversation(hass).say("Third")
    await poll(lambda: "agent:main:ha-living_room" not in gateway.runs.sessions)

    names = ["living_room", "living_room-1", "living_room-1"]
    assert sent(gateway) == [f"agent:main:ha-{name}" for name in names]


@with_settings(**NAMED)
async def test_named_session_that_cannot_be_deleted_gets_another_name(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello")
    gateway.refuse_method("sessions.delete")

    await press(hass)
    await conversation.say("Hello")

    assert sent(gateway)[1] == "agent:main:ha-living_room-1"
    await poll(lambda: "agent:main:ha-living_room" not in gateway.runs.sessions)


@pytest.mark.parametrize("protocol", [3])
@pytest.mark.parametrize(
    "agent_settings", [NAMED, {"session_scope": "device"}, {"session_scope": "shared"}]
)
async def test_clawdbot_begins_anew_and_deletes_nothing(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello", device="kitchen")
    await press(hass)
    await conversation.say("Hello", device="kitchen")

    first, second = sent(gateway)
    assert second == f"{first}-1"
    assert set(gateway.runs.sessions) == {first, second}
    assert not gateway.received("sessions.delete")


@pytest.mark.parametrize(
    ("agent_settings", "named"), [(NAMED, True), ({"session_scope": "shared"}, False)]
)
async def test_one_session_begins_anew(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    *,
    named: bool,
) -> None:
    await conversation.say("Hello")
    [subentry] = entry.subentries.values()
    [key] = gateway.runs.sessions
    session = gateway.runs.sessions[key]

    begin = async_new_conversation(hass, entry, subentry, key, named=named)
    assert await begin
    await poll(lambda: session not in gateway.runs.sessions.values())
    again = async_new_conversation(hass, entry, subentry, key, named=named)
    assert not await again
    await conversation.say("Hello")

    assert sent(gateway)[1] == (key if named else f"{key}-2")


async def test_sessions_left_are_deleted_after_a_reload(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    await conversation.say("Hello", device="kitchen")
    [key] = gateway.runs.sessions
    gateway.refuse_method("sessions.delete", 2)
    await press(hass)
    await poll(lambda: not gateway.refused_methods)

    assert await hass.config_entries.async_reload(entry.entry_id)

    await poll(lambda: key not in gateway.runs.sessions)


async def test_new_conversation_while_a_session_is_restricted(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
) -> None:
    gateway.hold("sessions.patch")
    question = asyncio.create_task(conversation.say("Hello", device="kitchen"))
    await gateway.wait_for_request("sessions.patch")
    await press(hass)
    gateway.release("sessions.patch")

    assert (await question).response.response_type.value == "action_done"
    assert not get_sessions(entry).known


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"known": [], "conversations": {}, "ended": []},
        {"known": {"k": {"base": 1}}, "conversations": {"k": "2"}, "ended": [None]},
    ],
)
async def test_stored_sessions_that_were_edited_are_left_out(
    hass: HomeAssistant,
    hass_storage: dict[str, object],
    new_entry: MockConfigEntry,
    stored: object,
) -> None:
    key = f"clawd.sessions.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": stored}

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    sessions = get_sessions(new_entry)
    assert not sessions.known
    assert not sessions.conversations
    assert not new_entry.runtime_data.ended_sessions
