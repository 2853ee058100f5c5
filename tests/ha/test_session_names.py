"""Names of sessions."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator

from .assist_client import Conversation
from .states import AGENT


async def call(hass: HomeAssistant, action: str, **data: object) -> Any:  # noqa: ANN401 - any response
    """Call an action on the agent; return its response."""
    return await hass.services.async_call(
        DOMAIN, action, {"agent": AGENT, **data}, blocking=True, return_response=True
    )


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("ask", {"text": "Hello"}),
        ("start_task", {"text": "Hello"}),
        ("wake", {"text": "Hello"}),
        ("new_conversation", {}),
    ],
)
@pytest.mark.parametrize("change", [str, str.upper, "{:} ".format])
@pytest.mark.parametrize("agent_settings", [{"session_scope": "user"}])
async def test_session_without_a_name_cannot_be_named(  # noqa: PLR0913, PLR0917 - the call
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    action: str,
    data: dict[str, str],
    change: Any,  # noqa: ANN401 - a way to write the same name
) -> None:
    admin = MockUser(is_owner=True).add_to_hass(hass)
    await conversation.say("Private", user=admin.id)
    [key] = gateway.runs.sessions

    with pytest.raises(ServiceValidationError) as error:
        await call(hass, action, **data, session=change(key.rpartition("ha-")[2]))

    assert error.value.translation_key == "session_name_reserved"
    assert list(gateway.runs.sessions) == [key]
    assert len(gateway.received("agent")) == 1


async def test_name_does_not_lead_to_what_belongs_to_another_session(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: MockConfigEntry
) -> None:
    assert entry.runtime_data
    for name in ("home-1", "home-side1", "task-tools"):
        await call(hass, "ask", text="Hello", session=name)

    keys = [key.removeprefix("agent:main:ha-") for key in gateway.runs.sessions]
    assert keys == ["home_1", "home_side1", "task_tools"]


async def test_stored_name_of_a_session_without_one_is_dropped(
    hass: HomeAssistant, gateway: GatewaySimulator, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    name = "0123456789abcdef" * 2
    named = {"session_scope": "named", "session_name": name}
    hass.config_entries.async_update_subentry(
        new_entry, subentry, data={**subentry.data, **named}
    )
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await Conversation(hass).say("Hello")

    [key] = gateway.runs.sessions
    assert name not in key
