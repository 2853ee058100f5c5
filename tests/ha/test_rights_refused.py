"""Refusals of the rights of a session."""

import time

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.assist import session_settings, throwaway, warm_up
from tests.simulator import GatewaySimulator, Reply

from .assist_client import Conversation, speech
from .test_rights import REFUSED, modes
from .test_warm_up import set_up

PATCH = "sessions.patch"


@pytest.fixture(autouse=True)
def _no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once."""
    monkeypatch.setattr(session_settings, "RETRY_DELAYS", (0.0, 0.0))


async def test_a_gateway_that_has_just_started_is_asked_again(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method(PATCH, 2, "UNAVAILABLE")
    gateway.script(Reply("It is on."))

    assert speech(await conversation.say("Hello")) == "It is on."

    assert modes(gateway) == ["guarded"]
    assert len(gateway.received(PATCH)) == 3


@pytest.mark.parametrize("agent_settings", [{"model": "mock/thinker"}, {}])
@pytest.mark.usefixtures("agent_settings")
async def test_a_gateway_that_stays_unavailable_is_not_said_to_be_too_old(
    conversation: Conversation, gateway: GatewaySimulator
) -> None:
    gateway.refuse_method(PATCH, 9, "UNAVAILABLE")

    result = await conversation.say("Hello")

    assert result.response.response_type.value == "error"
    assert not speech(result).startswith(REFUSED)
    assert "UNAVAILABLE" in speech(result)
    assert gateway.received("agent") == []


@pytest.mark.parametrize(
    "code",
    ["INVALID_REQUEST", "NOT_FOUND", "FORBIDDEN", "INTERNAL", "PERMISSION_DENIED"],
)
async def test_a_refusal_for_good_is_not_repeated(
    conversation: Conversation, gateway: GatewaySimulator, code: str
) -> None:
    gateway.refuse_method(PATCH, 1, code)

    assert speech(await conversation.say("Hello")).startswith(REFUSED)

    assert len(gateway.received(PATCH)) == 1
    assert gateway.received("agent") == []


async def test_a_gateway_is_warmed_up_that_has_just_started(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(warm_up, "MAX_UPTIME", 60.0)
    monkeypatch.setattr(throwaway, "DELAYS", (0.0, 0.0, 0.0))
    gateway.started_at = time.monotonic()
    gateway.refuse_method(PATCH, 1, "UNAVAILABLE")

    warm_ups = await set_up(hass, new_entry)

    assert warm_ups.failed == {}
    assert warm_ups.seconds is not None
