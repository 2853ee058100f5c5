"""Private stores that were edited by hand: what can be read is used."""

from typing import Any, Final

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.listeners import get_listeners
from tests.simulator import GatewaySimulator, Reply

from .assist_client import Conversation, speech

KEY: Final = "agent:main:ha-x"
QUESTION: Final[dict[str, Any]] = {
    "text": "Look it up",
    "conversation_id": "c",
    "language": "en",
    "device_id": "d",
    "satellite_id": None,
    "user_id": None,
    "context_id": None,
    "by_person": True,
    "history": "",
    "extra_system_prompt": None,
    "session_key": KEY,
}
LISTENER: Final[dict[str, Any]] = {"device_id": "d", "user_id": None, "language": "en"}
OWNER: Final[dict[str, Any]] = {"listener": LISTENER, "agent": "main", "shared": False}

BAD_LISTENERS: Final[list[object]] = [
    *([], None, "x"),
    *({"language": None}, {"language": 5}),
]


async def answers(hass: HomeAssistant, gateway: GatewaySimulator) -> None:
    """Check that the agent answers."""
    gateway.script(Reply("Hi."))
    result = await Conversation(hass).say("Hello", device="d")
    assert speech(result) == "Hi."


@pytest.mark.parametrize(
    "question",
    [
        *({**QUESTION, "session_key": key} for key in (None, 5, ["a"])),
        *({**QUESTION, "language": language} for language in (None, 3)),
        {**QUESTION, "text": None},
        {**QUESTION, "device_id": 5},
        [],
    ],
)
async def test_a_hand_off_that_cannot_be_read_is_left_out(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    question: object,
) -> None:
    [subentry_id] = new_entry.subentries
    row = {
        "id": "a" * 32,
        "subentry_id": subentry_id,
        "question": question,
        "asked_at": 4e9,
        "accepted": True,
        "state": "running",
    }
    key = f"clawd.handoffs.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": {"handoffs": [row]}}

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    assert get_handoffs(new_entry).open == {}
    await answers(hass, gateway)


@pytest.mark.parametrize(
    "stored",
    [
        *({"owners": {KEY: {**OWNER, "listener": bad}}} for bad in BAD_LISTENERS),
        {"spawns": {"r": {"session_key": 5, "owner": OWNER, "at": 4e9}}},
        {"spawns": {"r": {"session_key": ["a"], "owner": OWNER, "at": 4e9}}},
    ],
)
async def test_a_listener_that_cannot_be_read_is_left_out(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    stored: dict[str, Any],
) -> None:
    key = f"clawd.listeners.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": stored}

    assert await hass.config_entries.async_setup(new_entry.entry_id)

    listeners = get_listeners(new_entry)
    assert (listeners.owners, listeners.spawns) == ({}, {})
    await answers(hass, gateway)
