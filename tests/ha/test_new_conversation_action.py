"""Action `clawd.new_conversation`."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator

from .action_calls import ask, call
from .ai_tasks import cleaned_up
from .assist_client import Conversation
from .states import AGENT

pytestmark = pytest.mark.usefixtures("no_deletion_delays")


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    ("agent_settings", "fields", "count"),
    [
        ({"session_scope": "shared"}, {}, 1),
        ({"session_scope": "named", "session_name": "us"}, {}, 1),
        ({"session_scope": "device"}, {"device": "satellite"}, 1),
        ({"session_scope": "device_or_user"}, {"device": "satellite"}, 1),
        ({}, {}, 2),
        ({}, {"session": "us"}, 1),
    ],
    ids=["shared", "named", "device", "device_or_user", "all", "other"],
)
async def test_a_new_conversation_starts_from_scratch(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: ClawdConfigEntry,
    gateway: GatewaySimulator,
    conversation: Conversation,
    satellite: str,
    protocol: int,
    fields: dict[str, Any],
    count: int,
) -> None:
    async def hold_conversations() -> None:
        if "session" in fields:
            await ask(hass, session="us")
            return
        await conversation.say("Hello", device=satellite)
        if count == 2:
            await ask(hass, session="us")

    if "device" in fields:
        fields = {"device": satellite}
    await hold_conversations()
    await cleaned_up(entry)
    old = {s.session_id for s in gateway.runs.sessions.values()}
    assert len(old) == count

    data: dict[str, Any] = {"agent": AGENT, **fields}
    assert await call(hass, "new_conversation", **data) == {"sessions": count}
    await cleaned_up(entry)
    if protocol == 4:
        assert gateway.runs.sessions == {}
    assert await call(hass, "new_conversation", **data) == {"sessions": 0}
    await hold_conversations()
    new = {s.session_id for s in gateway.runs.sessions.values()} - old
    assert len(new) == count


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("agent_settings", [{"session_scope": "user"}])
async def test_a_device_without_a_session_of_its_own_is_told(
    hass: HomeAssistant, satellite: str
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "new_conversation", agent=AGENT, device=satellite)
    assert error.value.translation_key == "session_unclear"
