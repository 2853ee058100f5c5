"""Rights of questions on the Gateway's machine."""

from types import MappingProxyType
from typing import Any

from homeassistant.components.conversation import async_converse
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Context, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.assist.session_settings import MAX_MODE_AGE
from custom_components.clawd.assist.sessions import get_sessions
from custom_components.clawd.flows.agent_schema import new_subentry
from tests.simulator import Agent, GatewaySimulator

from .assist_client import Conversation, speech
from .states import AGENT, CONNECTIVITY, wait_for_state

CHAT = "01JAAAAAAAAAAAAAAAAAAAAAAA"
REFUSED = "The Gateway did not restrict the rights of the session, so main was not"


def with_settings(**settings: object) -> pytest.MarkDecorator:
    """Let the agent have settings."""
    return pytest.mark.parametrize("agent_settings", [settings])


def sent(gateway: GatewaySimulator) -> list[str]:
    """Return the session keys of the runs."""
    return [request.params["sessionKey"] for request in gateway.received("agent")]


def patches(gateway: GatewaySimulator) -> list[dict[str, Any]]:
    """Return the changes of sessions, without their keys."""
    found = [{**request.params} for request in gateway.received("sessions.patch")]
    for patch in found:
        del patch["key"]
    return found


def modes(gateway: GatewaySimulator) -> list[str | None]:
    """Return the permission mode of the session of each run."""
    return [gateway.permission_modes.get(key) for key in sent(gateway)]


@pytest.fixture
def admin(hass: HomeAssistant) -> str:
    """Return the id of an administrator."""
    return MockUser(is_owner=True).add_to_hass(hass).id


@pytest.fixture
def child(hass: HomeAssistant) -> str:
    """Return a user without admin rights."""
    return MockUser().add_to_hass(hass).id


@pytest.mark.parametrize(
    "agent_settings",
    [{"session_scope": s} for s in ("conversation", "user", "device_or_user")],
)
async def test_only_chats_of_administrators_are_as_the_gateway_decides(  # noqa: PLR0913, PLR0917 - who asks
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    admin: str,
    child: str,
) -> None:
    await conversation.say("Chat", CHAT, user=admin)
    await conversation.say("Spoken", CHAT, user=admin, device=satellite)
    await conversation.say("Child", CHAT, user=child)
    await conversation.say("Nobody", CHAT)
    automation = Context(user_id=admin, parent_id="1")
    await async_converse(hass, "Automation", CHAT, automation, agent_id=AGENT)

    assert modes(gateway) == [None, *["guarded"] * 4]
    assert sent(gateway).count(sent(gateway)[0]) == 1


@pytest.mark.parametrize(
    "user",
    [
        MockUser(is_owner=True, is_active=False),
        MockUser(is_owner=True, system_generated=True),
    ],
    ids=["inactive", "system"],
)
async def test_who_is_no_person_is_no_administrator(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    user: MockUser,
) -> None:
    user.add_to_hass(hass)

    await conversation.say("Hello", user=user.id)

    assert modes(gateway) == ["guarded"]


@pytest.mark.parametrize(
    ("agent_settings", "mode"),
    [
        ({"permissions": "guarded"}, "guarded"),
        ({"permissions": "read_only"}, "read-only"),
        ({"permissions": "gateway"}, None),
        ({"session_scope": "shared"}, "guarded"),
        ({"session_scope": "named", "session_name": "Home"}, "guarded"),
    ],
)
async def test_everyone_has_the_same_rights(
    conversation: Conversation,
    gateway: GatewaySimulator,
    satellite: str,
    admin: str,
    mode: str | None,
) -> None:
    await conversation.say("Chat", CHAT, user=admin)
    await conversation.say("Spoken", CHAT, device=satellite)

    assert modes(gateway) == [mode, mode]
    assert bool(patches(gateway)) is bool(mode)


async def test_agent_with_less_rights_gets_none_back(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    admin: str,
) -> None:
    gateway.agents = (Agent("main", permission_mode="read-only"),)
    assert await hass.config_entries.async_reload(entry.entry_id)

    await conversation.say("Spoken", device="kitchen")
    await conversation.say("Chat", user=admin)

    assert modes(gateway) == ["read-only", None]


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_restricts_nobody(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello")

    assert len(gateway.received("agent")) == 1
    assert not gateway.received("sessions.patch")


@with_settings(session_scope="shared", model="mock/thinker")
async def test_rights_and_model_are_set_at_once_and_once_a_connection(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("One")
    await conversation.say("Two")
    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, "off")
    await wait_for_state(hass, CONNECTIVITY, "on")
    await conversation.say("Three")

    both = {"model": "mock/thinker", "permissionMode": "guarded"}
    assert patches(gateway) == [both, both]


@with_settings(session_scope="shared", model="mock/thinker")
async def test_rights_are_set_again_in_time_as_the_session_may_be_new(
    conversation: Conversation, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    now = 0.0
    get_sessions(entry).clock = lambda: now
    await conversation.say("One")
    gateway.permission_modes.clear()
    now = MAX_MODE_AGE + 1
    await conversation.say("Two")
    await conversation.say("Three")

    assert patches(gateway)[1:] == [{"permissionMode": "guarded"}]
    assert modes(gateway) == ["guarded"] * 3


async def test_old_openclaw_is_not_asked_what_it_cannot_restrict(
    conversation: Conversation, gateway: GatewaySimulator, admin: str
) -> None:
    gateway.has_permission_modes = False

    result = await conversation.say("Hello")
    chat = await conversation.say("Hello", user=admin)

    assert speech(result).startswith(REFUSED)
    assert not speech(chat).startswith(REFUSED)
    assert len(gateway.received("agent")) == 1


@with_settings(model="mock/thinker")
async def test_refused_rights_are_named_and_not_the_model(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.has_permission_modes = False

    assert speech(await conversation.say("Hello")).startswith(REFUSED)
    assert not gateway.received("agent")


@with_settings(model="mock/thinker")
async def test_refused_model_is_not_a_refusal_of_rights(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method("sessions.patch")

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"
    assert not speech(result).startswith(REFUSED)
    assert not gateway.received("agent")


@with_settings(model="mock/thinker", permissions="gateway")
async def test_refused_model_of_a_session_without_restrictions(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method("sessions.patch")

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"
    assert not gateway.received("agent")


async def test_rights_that_are_not_confirmed_are_refused(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.edit("sessions.patch", lambda payload: payload["entry"].clear())

    assert speech(await conversation.say("Hello")).startswith(REFUSED)
    assert not gateway.received("agent")


async def test_restricted_session_is_restored_by_the_setting_only(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
) -> None:
    await conversation.say("One", device=satellite)
    [subentry] = entry.subentries.values()
    data = {**subentry.data, "permissions": "gateway"}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    await conversation.say("Two", device=satellite)
    await conversation.say("Three", device=satellite)

    assert patches(gateway) == [{"permissionMode": "guarded"}, {"permissionMode": None}]
    assert len({*sent(gateway)}) == 1
    # What the owner sets of the session stays.
    gateway.permission_modes[sent(gateway)[0]] = "read-only"
    await conversation.say("Four", device=satellite)
    assert modes(gateway)[-1] == "read-only"


@with_settings(session_scope="named", session_name="Home", permissions="gateway")
async def test_named_session_has_the_least_rights_of_who_shares_it(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    new_entry: MockConfigEntry,
    admin: str,
) -> None:
    home = {"session_scope": "named", "session_name": "Home"}
    add_agent(hass, new_entry, {**home, "permissions": "read_only"}, "other")
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await Conversation(hass).say("Other type", user=admin)
    add_agent(hass, new_entry, {**home, "permissions": "gateway"})
    add_agent(hass, new_entry, {"agent": "kitchen", "permissions": "read_only"})
    await hass.async_block_till_done()
    await Conversation(hass).say("Other agent", user=admin)
    assert not patches(gateway)
    # It may name the session by an action.
    add_agent(hass, new_entry, {"agent": "MAIN", "permissions": "read_only"})
    await hass.async_block_till_done()
    await Conversation(hass).say("Same agent", user=admin)

    assert patches(gateway) == [{"permissionMode": "read-only"}]
    assert modes(gateway) == ["read-only"] * 3


def add_agent(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    settings: dict[str, str],
    kind: str = "conversation",
) -> None:
    """Add an agent to an entry."""
    new = new_subentry("main", "Another")
    data = MappingProxyType({**new["data"], **settings})
    subentry = ConfigSubentry(
        data=data, subentry_type=kind, title="Another", unique_id=None
    )
    hass.config_entries.async_add_subentry(entry, subentry)
