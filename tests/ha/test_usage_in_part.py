"""Usage of which a Gateway tells a part."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Reply, result_v4, run_events_v4
from tests.simulator.run_events import RunEvents

from .assist_client import Conversation
from .home.local_model import traced_usage
from .states import AGENT


@pytest.mark.parametrize(("hidden", "model"), [("provider", "mock"), ("model", None)])
async def test_the_model_is_named_as_far_as_it_is_known(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    conversation: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    hidden: str,
    model: str | None,
) -> None:
    def hide(events: RunEvents) -> Any:  # noqa: ANN401 - a frame
        payload = result_v4.final_payload(events)
        del payload["result"]["meta"]["agentMeta"][hidden]
        return payload

    monkeypatch.setattr(run_events_v4, "final_payload", hide)
    gateway.script(Reply("Sunny."))
    data = {"agent": AGENT, "text": "Weather?"}
    response = await hass.services.async_call(
        DOMAIN, "ask", data, blocking=True, return_response=True
    )
    assert response
    assert response["model"] == model
    await conversation.say("Weather?")
    assert [trace["model"] for trace in traced_usage()] == [model]
