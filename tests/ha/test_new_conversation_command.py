"""OpenClaw's commands for a new conversation."""

import asyncio
from typing import Any

from homeassistant.components.conversation import (
    AssistantContent,
    UserContent,
    async_get_chat_log,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.chat_session import async_get_chat_session
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.clawd.coordinator import ClawdConfigEntry
from custom_components.clawd.util.drill_lock import drill_lock
from tests.simulator import GatewaySimulator, Pause, Reply

from .action_calls import call
from .assist_client import Conversation, speech
from .fault_harness import poll
from .states import AGENT, CONNECTIVITY, wait_for_state
from .test_new_conversation import NAMED, sent, with_settings

pytestmark = pytest.mark.usefixtures("no_deletion_delays")

both_protocols = pytest.mark.parametrize("protocol", [3, 4])
SAID = "New conversation started."


def asked(gateway: GatewaySimulator) -> list[str]:
    """Return the messages of the runs."""
    return [request.params["message"] for request in gateway.received("agent")]


@both_protocols
@pytest.mark.parametrize("command", ["/new", "/RESET", " /New \n"])
@pytest.mark.parametrize(
    "agent_settings", [{"session_scope": "device"}, {"session_scope": "shared"}]
)
async def test_a_command_begins_the_session_anew(
    conversation: Conversation, gateway: GatewaySimulator, protocol: int, command: str
) -> None:
    await conversation.say("Hello", device="kitchen")
    result = await conversation.say(command, device="kitchen")
    assert speech(result) == SAID
    last = conversation.content[-1]
    assert isinstance(last, AssistantContent)
    assert last.content == SAID
    assert not result.continue_conversation
    await conversation.say("Hello", device="kitchen")

    first, second = sent(gateway)
    assert second == f"{first}-1"
    if protocol == 4:
        await poll(lambda: set(gateway.runs.sessions) == {second})


@with_settings(session_scope="device")
async def test_another_device_keeps_its_session(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    for device in ("kitchen", "bath"):
        await conversation.say("Hello", device=device)
    await conversation.say("/new", device="kitchen")
    await conversation.say("Hello", device="bath")

    assert sent(gateway)[2] == sent(gateway)[1]


async def test_a_chat_goes_on_in_a_new_session(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    chat = (await conversation.say("Hello")).conversation_id
    result = await conversation.say("/new", chat, language="de-CH")
    assert speech(result) == "Neues Gespräch begonnen."
    assert result.conversation_id == chat
    await conversation.say("Hello", chat)

    first, second = sent(gateway)
    assert second == f"{first}-1"


@with_settings(**NAMED)
async def test_a_named_session_keeps_its_name(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello")
    session = gateway.runs.sessions["agent:main:ha-living_room"]
    await conversation.say("/reset")
    assert not gateway.runs.sessions
    await conversation.say("Hello")

    assert gateway.runs.sessions["agent:main:ha-living_room"] is not session


@both_protocols
async def test_what_follows_is_asked_in_the_new_session(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello", device="kitchen")
    gateway.script(Reply("Hi."))
    result = await conversation.say("/new  stop,\nplease", device="kitchen")

    assert speech(result) == "Hi."
    assert asked(gateway) == ["Hello", "stop,\nplease"]
    first, second = sent(gateway)
    assert second == f"{first}-1"


async def test_what_was_said_before_is_not_told_in_the_new_session(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    with (
        async_get_chat_session(hass) as session,
        async_get_chat_log(hass, session) as log,
    ):
        log.async_add_user_content(UserContent("Light, please"))
        done = AssistantContent("conversation.home_assistant", "Turned it on")
        log.async_add_assistant_content_without_tools(done)

    await conversation.say("/new Hello", session.conversation_id)

    [request] = gateway.received("agent")
    assert "Light" not in request.params["extraSystemPrompt"]


@pytest.mark.parametrize("text", ["/newer", "/status", "a /new"])
async def test_other_words_are_left_to_the_agent(
    conversation: Conversation, gateway: GatewaySimulator, text: str
) -> None:
    gateway.script(Reply("Hi."))

    assert speech(await conversation.say(text)) == "Hi."
    assert asked(gateway) == [text]


@with_settings(session_scope="shared")
async def test_a_run_goes_on_in_the_old_session(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Wait."), Pause(), Reply("Done."))
    first = asyncio.create_task(conversation.say("Hello"))
    await gateway.wait_paused()
    [key] = gateway.runs.sessions

    assert speech(await Conversation(hass).say("/new")) == SAID
    assert key in gateway.runs.sessions
    gateway.proceed()

    assert speech(await first).endswith("Done.")
    await poll(lambda: key not in gateway.runs.sessions)


@with_settings(session_scope="shared")
async def test_who_may_not_control_the_agent_begins_nothing_anew(
    conversation: Conversation,
    gateway: GatewaySimulator,
    hass_read_only_user: MockUser,
) -> None:
    await conversation.say("Hello")
    result = await conversation.say("/new", user=hass_read_only_user.id)
    assert result.response.response_type.value == "error"
    await conversation.say("Hello")

    assert sent(gateway)[0] == sent(gateway)[1]


@with_settings(**NAMED)
async def test_without_a_connection_the_session_is_left(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: ClawdConfigEntry,
) -> None:
    await conversation.say("Hello")
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    assert speech(await conversation.say("/new")) == SAID
    await gateway.resume()
    entry.runtime_data.client.resume()
    await entry.runtime_data.client.wait_connected()
    await conversation.say("Hello")

    first, second = sent(gateway)
    assert second == f"{first}-1"


async def test_an_entry_that_is_unloaded_meanwhile_begins_nothing_anew(
    hass: HomeAssistant, conversation: Conversation, entry: ClawdConfigEntry
) -> None:
    async with drill_lock(entry).drill():
        command = asyncio.create_task(conversation.say("/new"))
        while not drill_lock(entry).questions:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)
        assert await hass.config_entries.async_unload(entry.entry_id)

    result = await command
    assert result.response.response_type.value == "error"
    assert speech(result) == "The Gateway is not connected"


@both_protocols
@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("action", ["ask", "start_task"])
@pytest.mark.parametrize("text", ["/new", " /Reset \nHello"])
@pytest.mark.parametrize("fields", [{}, {"session": "us"}])
async def test_an_action_names_the_one_for_new_conversations(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    action: str,
    text: str,
    fields: dict[str, Any],
) -> None:
    with pytest.raises(ServiceValidationError, match=r"clawd\.new_conversation"):
        await call(hass, action, agent=AGENT, text=text, **fields)

    assert not gateway.received("agent")
