"""Check of session rights."""

from homeassistant.core import HomeAssistant
import pytest

from tests.simulator import GatewaySimulator

from .assist_client import Conversation
from .self_test import run_self_test

CHECK = "permission_mode"


@pytest.mark.parametrize(
    ("agent_settings", "count"),
    [({}, 1), ({"permissions": "read_only"}, 1), ({"permissions": "gateway"}, 0)],
)
async def test_sessions_that_are_as_they_were_set(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    count: int,
) -> None:
    await conversation.say("Hello", device="kitchen")

    [check] = (await run_self_test(hass, checks=[CHECK]))["checks"]

    assert check["status"] == "pass"
    assert check["message"].endswith(f"(sessions: {count}).")
    assert len(gateway.received("sessions.describe")) == count


async def test_session_with_less_rights_or_none_is_no_fault(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    await conversation.say("Hello", device="kitchen")
    await conversation.say("Hello", device="bath")
    first, second = gateway.permission_modes
    gateway.permission_modes[first] = "read-only"
    del gateway.permission_modes[second]
    del gateway.runs.sessions[second]

    [check] = (await run_self_test(hass, checks=[CHECK]))["checks"]

    assert check["status"] == "pass"
