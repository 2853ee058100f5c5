"""Settings of a conversation agent."""

from typing import Any

from homeassistant.components.conversation import (
    AssistantContent,
    ToolResultContent,
    UserContent,
)
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.assist import chat_log, sessions
from tests.simulator import Agent, GatewaySimulator, Pause, Reply, Tool

from .assist_client import Conversation, speech
from .repair import Repair, open_issues
from .states import CONNECTIVITY, wait_for_state

both_protocols = pytest.mark.parametrize("protocol", [3, 4])


def with_settings(**settings: object) -> pytest.MarkDecorator:
    """Let the agent have settings."""
    return pytest.mark.parametrize("agent_settings", [settings])


def _sent(gateway: GatewaySimulator, name: str) -> list[Any]:
    return [request.params.get(name) for request in gateway.received("agent")]


@pytest.mark.parametrize(
    ("agent_settings", "told"),
    [({}, False), ({"share_user_name": True}, True)],
)
async def test_the_agent_is_told_who_speaks_only_if_that_is_allowed(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    *,
    told: bool,
) -> None:
    user = MockUser(name="Ada").add_to_hass(hass)

    await conversation.say("Hello", user=user.id)

    [prompt] = _sent(gateway, "extraSystemPrompt")
    assert ('The name of the user is "Ada".' in prompt) is told
    assert user.id not in str(gateway.received("agent"))


@with_settings(
    instructions="{{ user }}/{{ area }}/{{ device }}/{{ language }}/{{ 1 + 1 }}"
)
async def test_instructions_are_rendered_before_the_extra_prompt(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    await conversation.say("Hello", prompt="Be brief.", device=satellite)

    [prompt] = _sent(gateway, "extraSystemPrompt")
    assert prompt.endswith("\n\nNone/Kitchen/Satellite/en/2\n\nBe brief.")


@with_settings(instructions="{{ 1 / 0 }}")
async def test_instructions_that_fail_are_named(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    result = await conversation.say("Hello")

    assert speech(result).startswith("The instructions of main contain a template")
    assert not gateway.received("agent")


@pytest.mark.parametrize(
    ("agent_settings", "same", "other"),
    [
        ({"session_scope": "device"}, {"device": "a"}, {"device": "b"}),
        ({"session_scope": "user"}, {"user": "a"}, {"user": "b"}),
    ],
)
async def test_a_session_has_its_scope_and_outlives_a_reload(  # noqa: PLR0913, PLR0917 - the row of the table
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    same: dict[str, str],
    other: dict[str, str],
) -> None:
    await conversation.say("One", **same)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await conversation.say("Two", **same)
    await conversation.say("Three", **other)
    await conversation.say("Four")
    await conversation.say("Five")

    keys = _sent(gateway, "sessionKey")
    assert keys[0] == keys[1]
    assert len({*keys}) == 4


@pytest.mark.parametrize(
    ("agent_settings", "expected"),
    [
        ({"session_scope": "shared"}, "agent:main:ha-"),
        (
            {"session_scope": "named", "session_name": "Living Room"},
            "agent:main:ha-living_room",
        ),
    ],
)
async def test_one_session_is_shared_by_all(
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    expected: str,
) -> None:
    await conversation.say("One", device="a")
    await conversation.say("Two", user="b")

    [key] = set(_sent(gateway, "sessionKey"))
    assert key.startswith(expected)
    assert not {*entry.subentries} & {*key.split("-")}


@with_settings(model="mock/thinker", session_scope="shared")
async def test_a_model_is_set_once_a_connection(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("One")
    await conversation.say("Two")
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    await conversation.say("Three")

    [key] = set(_sent(gateway, "sessionKey"))
    patches = [request.params for request in gateway.received("sessions.patch")]
    assert (
        patches
        == [{"key": key, "model": "mock/thinker", "permissionMode": "guarded"}] * 2
    )


@with_settings(model="mock/thinker")
async def test_only_so_many_sessions_are_remembered(
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 1)

    first = await conversation.say("One")
    await conversation.say("Two")
    await conversation.say("Three", first.conversation_id)

    keys = [request.params["key"] for request in gateway.received("sessions.patch")]
    assert keys == _sent(gateway, "sessionKey")


@pytest.mark.parametrize("protocol", [3])
@with_settings(model="mock/thinker")
async def test_a_model_is_left_alone_where_it_cannot_be_chosen(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    assert (await conversation.say("One")).response.speech

    assert not gateway.received("sessions.patch")


@both_protocols
@pytest.mark.parametrize(
    ("agent_settings", "level"), [({}, None), ({"thinking": "low"}, "low")]
)
async def test_a_thinking_level_is_asked_for(
    conversation: Conversation, gateway: GatewaySimulator, level: str | None
) -> None:
    gateway.script(Reply("Hm."))

    await conversation.say("Hello")

    assert _sent(gateway, "thinking") == [level]


@both_protocols
@pytest.mark.parametrize("agent_settings", [{"deadline": 0.02}, {"idle_timeout": 0.02}])
async def test_patience_ends_as_it_is_set(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Pause())

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"


@both_protocols
async def test_what_is_spoken_is_cleaned(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply(chunks=("It is **wa", "rm**, see [here](http", "s://a.b).")))

    result = await conversation.say("Hello", device=satellite)

    assert speech(result) == "It is warm, see here."
    assert "".join(conversation.deltas) == "It is warm, see here."


@pytest.mark.parametrize(
    ("agent_settings", "spoken"), [({}, False), ({"speech_cleanup": False}, True)]
)
async def test_a_chat_and_whoever_wants_it_keeps_the_formatting(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    *,
    spoken: bool,
) -> None:
    gateway.script(Reply("It is **warm**."))

    result = await conversation.say("Hello", device=satellite if spoken else None)

    assert speech(result) == "It is **warm**."


@pytest.mark.parametrize(
    "text",
    ["```\nx = 1\n```", "```\nx = 1\n```\n\n", "![](https://a.b/c.png)", ":smile:"],
)
async def test_a_reply_that_leaves_nothing_to_say_is_said_to_be_for_a_chat(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str, text: str
) -> None:
    gateway.script(Reply(text))

    result = await conversation.say("Hello", device=satellite)

    assert speech(result).startswith("The agent's reply cannot be spoken")


@with_settings(tool_progress=True)
@pytest.mark.parametrize("typed", sorted({False, chat_log.TYPED_RESULTS}))
async def test_tools_are_shown_as_they_are_used(
    conversation: Conversation,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
    *,
    typed: bool,
) -> None:
    monkeypatch.setattr(chat_log, "TYPED_RESULTS", typed)
    gateway.script(Reply("Let me look."), Tool("look", {"at": "door"}), Reply("Open."))

    result = await conversation.say("Is the door open?")

    assert speech(result) == "Let me look.\n\nOpen."
    [_, question, first, tool, last] = conversation.content
    assert isinstance(question, UserContent)
    assert isinstance(first, AssistantContent)
    assert first.content == "Let me look."
    [call] = first.tool_calls or []
    assert (call.tool_name, call.tool_args, call.external) == (
        "look",
        {"at": "door"},
        True,
    )
    assert isinstance(tool, ToolResultContent)
    assert tool.tool_call_id == call.id
    assert "done" in str(tool.as_dict()["tool_result"])
    assert isinstance(last, AssistantContent)
    assert last.content == "Open."


@with_settings(tool_progress=True, spoken_part="everything")
async def test_what_is_spoken_around_a_tool_is_cleaned(
    conversation: Conversation, gateway: GatewaySimulator, satellite: str
) -> None:
    gateway.script(Reply("I **look**!"), Tool("look"), Reply("It is *open*!"))

    result = await conversation.say("Is the door open?", device=satellite)

    assert speech(result) == "I look!\n\nIt is open!"
    assert conversation.deltas == ["I look!\n\nIt is open!"]
    assert len(conversation.content) == 3


@with_settings(tool_progress=True)
async def test_a_tool_that_ends_a_reply_leaves_what_was_said(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("I close it."), Tool("close"), Reply(""))

    assert speech(await conversation.say("Close the door")) == "I close it."


@both_protocols
async def test_tools_are_not_shown_unless_asked_for(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.script(Reply("Let me look."), Tool("look"), Reply("Open."))

    await conversation.say("Is the door open?")

    assert len(conversation.content) == 3


@both_protocols
async def test_a_deleted_agent_is_an_answer_and_an_issue_until_it_is_back(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    repair: Repair,
) -> None:
    gateway.agents = (Agent("kitchen", "Chef"),)
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")

    result = await conversation.say("Hello")

    assert speech(result).startswith("The agent main no longer exists on the Gateway")
    assert not gateway.received("agent")
    assert {*open_issues(hass)} == {"agent_deleted"}
    await repair.open(entry, "agent_deleted")
    assert (await repair.submit())["errors"] == {"base": "not_fixed"}
    gateway.agents = (Agent("main"),)
    assert (await repair.submit())["type"] == "create_entry"
    assert not open_issues(hass)


async def test_an_agent_that_is_deleted_meanwhile_is_an_answer_and_an_issue(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.agents = (Agent("kitchen", "Chef"),)

    result = await conversation.say("Hello")

    assert speech(result).startswith("The agent main no longer exists on the Gateway")
    assert {*open_issues(hass)} == {"agent_deleted"}


async def test_an_agent_that_is_added_again_can_be_asked_at_once(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    agents, gateway.agents = gateway.agents, (Agent("kitchen", "Chef"),)
    await conversation.say("Hello")
    gateway.agents = agents
    gateway.script(Reply("Here I am."))

    assert speech(await conversation.say("Hello")) == "Here I am."
    assert not open_issues(hass)


async def test_a_gateway_that_goes_while_it_lists_its_agents_is_asked_again(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.hold("agents.list")
    for _ in range(2):
        gateway.drop()
        await wait_for_state(hass, CONNECTIVITY, "off")
        await wait_for_state(hass, CONNECTIVITY, "on")
    gateway.release("agents.list")
    gateway.script(Reply("Hi."))

    assert speech(await conversation.say("Hello")) == "Hi."
