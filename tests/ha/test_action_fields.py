"""Fields of actions as templates and YAML hand them over."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
import voluptuous as vol

from custom_components.clawd.const import DOMAIN
from tests.simulator import GatewaySimulator, Reply

from .states import AGENT


async def call(hass: HomeAssistant, service: str, **data: Any) -> Any:  # noqa: ANN401 - any data
    """Call an action for an agent; return its response."""
    return await hass.services.async_call(
        DOMAIN, service, {"agent": AGENT, **data}, blocking=True, return_response=True
    )


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("service", "data"),
    [
        ("ask", {"text": "\u200b\ufeff"}),
        ("ask", {"text": "Hi", "session": "\u2060 "}),
        ("ask", {"text": "Hi", "structure": {}}),
        ("wake", {"text": "\u200d"}),
        ("start_task", {"text": "Hi", "name": "x" * 256}),
    ],
)
async def test_a_field_without_content_is_refused(
    hass: HomeAssistant, gateway: GatewaySimulator, service: str, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, service, **data)
    assert gateway.received("agent") == gateway.received("wake") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("device", ["", " "])
async def test_no_device_is_not_every_session(
    hass: HomeAssistant, gateway: GatewaySimulator, device: str
) -> None:
    await call(hass, "ask", text="Hi", session="us")
    # As from a template that found no device.
    with pytest.raises(vol.Invalid):
        await call(hass, "new_conversation", device=device)
    assert gateway.received("sessions.delete") == []
    assert await call(hass, "new_conversation") == {"sessions": 1}


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("given", [False, " off "])
async def test_yaml_takes_off_for_false(
    hass: HomeAssistant, gateway: GatewaySimulator, given: object
) -> None:
    gateway.script(Reply("Hello."))
    await call(hass, "ask", text="Hi", thinking=given)
    assert gateway.received("agent")[-1].params["thinking"] == "off"


@pytest.mark.usefixtures("entry")
async def test_yaml_takes_on_for_true(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "ask", text="Hi", thinking=True)
    assert error.value.translation_placeholders
    assert error.value.translation_placeholders["level"] == "on"
