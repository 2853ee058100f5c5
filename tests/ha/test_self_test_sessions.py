"""Check of session rights."""

from homeassistant.core import HomeAssistant
import pytest

from tests.simulator import GatewaySimulator

from .assist_client import Conversation
from .self_test import run_self_test

CHECK = "permission_mode"
REACH = "session_visibility"


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


@pytest.mark.parametrize("visibility", [None, "all", "agent"])
async def test_agents_that_reach_sessions_with_more_rights(
    hass: HomeAssistant,
    conversation: Conversation,
    gateway: GatewaySimulator,
    visibility: str | None,
) -> None:
    gateway.nodes.session_visibility = visibility
    await conversation.say("Hello", device="kitchen")

    [check] = (await run_self_test(hass, checks=[REACH]))["checks"]

    assert check["status"] == "warn"
    assert f"visibility on {visibility or 'all'}," in check["message"]
    assert "openclaw config set tools.sessions.visibility tree" in check["hint"]


@pytest.mark.parametrize("agent_settings", [{"permissions": "gateway"}])
@pytest.mark.usefixtures("agent_settings")
async def test_without_restrictions_the_reach_does_not_matter(
    hass: HomeAssistant, conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.nodes.session_visibility = "all"
    await conversation.say("Hello", device="kitchen")

    [check] = (await run_self_test(hass, checks=[REACH]))["checks"]

    assert check["status"] == "pass"
    assert not gateway.received("config.get")
