"""Hand-offs of agents that are deleted meanwhile."""

from typing import Any

from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist.handoff_store import get_handoffs
from custom_components.clawd.assist.ongoing import get_ongoing
from tests.simulator import GatewaySimulator, Pause, Reply

from .assist_client import Conversation, catch_up
from .events import types
from .test_handoff import (
    ANSWER,
    SENTENCE,
    Notifications,
    Patience,
    agent_settings,
    both_protocols,
    ends,
    events,
    notifications,
    patience,
    set_up_with,
    told,
)
from .voice_devices import Satellite

__all__ = ["agent_settings", "events", "notifications", "patience"]
FAILED = "I have not finished what you asked for. The agent was deleted meanwhile."


async def delete_agent(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Delete the agent; the entry is loaded again."""
    await catch_up(entry)
    [subentry] = entry.subentries.values()
    assert hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done()


@both_protocols
async def test_the_user_is_told_and_the_run_is_stopped(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
    events: list[Event],
    protocol: int,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    assert await patience.ask(conversation, satellite) == SENTENCE
    [asked] = gateway.received("agent")

    await delete_agent(hass, entry)
    await ends(entry)

    assert told(notifications) == [FAILED]
    assert [shown["title"] for shown in notifications.values()] == ["main"]
    assert types(events) == ["handed_off", "failed"]
    [stop] = gateway.received("chat.abort" if protocol == 4 else "chat.send")
    assert stop.params["sessionKey"] == asked.params["sessionKey"]
    assert get_handoffs(entry).open == {}
    assert get_ongoing(entry).all == ()


async def test_the_device_that_asked_says_so(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    loudspeaker: Satellite,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, satellite)

    await delete_agent(hass, entry)
    await ends(entry)

    assert loudspeaker.said == [FAILED]
    assert told(notifications) == []


@pytest.mark.parametrize("protocol", [4])
async def test_a_refused_stop_does_not_keep_it_from_being_told(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, satellite)
    gateway.refuse_method("chat.abort")

    await delete_agent(hass, entry)
    await ends(entry)

    assert told(notifications) == [FAILED]


async def test_a_failure_that_was_told_is_not_told_again(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, satellite)

    late = {"subentry_id": "gone", "state": "late"}
    await set_up_with(hass, hass_storage, entry, **late)
    await ends(entry)

    assert told(notifications) == []
    assert gateway.received("chat.abort")
    assert get_handoffs(entry).open == {}


async def test_one_stored_without_a_name_is_told_of(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    conversation: Conversation,
    patience: Patience,
    gateway: GatewaySimulator,
    entry: MockConfigEntry,
    satellite: str,
    notifications: Notifications,
) -> None:
    gateway.script(Pause(), Reply(ANSWER))
    await patience.ask(conversation, satellite)

    await set_up_with(hass, hass_storage, entry, subentry_id="gone", agent=None)
    await ends(entry)

    assert told(notifications) == [FAILED]
    assert [shown["title"] for shown in notifications.values()] == [entry.title]
