"""Actions `clawd.send_message` and `clawd.wake`."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.clawd.const import DOMAIN
from custom_components.clawd.coordinator import ClawdConfigEntry
from tests.simulator import GatewaySimulator

from .action_calls import call
from .pictures import add_camera
from .states import AGENT, CONNECTIVITY, wait_for_state


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_message_is_sent(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    response = await call(hass, "send_message", target="42", text="Ding.")
    assert response == {"message_id": "101"}
    await call(hass, "send_message", channel="telegram", target="42", text="Dong.")
    first, second = gateway.received("send")
    assert "channel" not in first.params
    assert second.params["channel"] == "telegram"
    # A Gateway with several agents may require one; Clawdbot's schema has none.
    assert second.params.get("agentId") == (None if gateway.protocol == 3 else "main")


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("text", [{}, {"text": "Ding."}])
async def test_a_picture_is_sent(
    hass: HomeAssistant, gateway: GatewaySimulator, text: dict[str, Any]
) -> None:
    door = await add_camera(hass)
    response = await call(hass, "send_message", target="42", attachment=door, **text)
    assert response == {"message_id": "101"}
    [sent] = gateway.received("send")
    assert sent.params["contentType"] == "image/jpeg"
    assert sent.params["buffer"]
    assert sent.params.get("message") == text.get("text")


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3])
@pytest.mark.parametrize("text", [{}, {"text": "Ding."}])
async def test_clawdbot_sends_no_pictures(
    hass: HomeAssistant, gateway: GatewaySimulator, text: dict[str, Any]
) -> None:
    door = await add_camera(hass)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "send_message", target="42", attachment=door, **text)
    assert error.value.translation_key == "needs_openclaw"
    assert error.value.translation_placeholders == {"field": "attachment"}
    assert gateway.received("send") == []


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("channel", "target", "key"),
    [
        ("telegram", "@nobody", "message_queued"),
        ("none", "42", "message_refused"),
    ],
)
async def test_a_message_that_is_not_sent_is_told(
    hass: HomeAssistant, channel: str, target: str, key: str
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "send_message", channel=channel, target=target, text="Hi")
    assert error.value.translation_key == key


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("data", [{}, {"text": " "}])
async def test_a_message_says_something(
    hass: HomeAssistant, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, "send_message", target="42", **data)


async def test_a_message_needs_a_connection(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: ClawdConfigEntry
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(HomeAssistantError) as error:
        await call(
            hass, "send_message", config_entry=entry.entry_id, target="42", text="Hi"
        )
    assert error.value.translation_key == "not_connected"


async def test_a_message_needs_one_gateway(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: ClawdConfigEntry
) -> None:
    another = MockConfigEntry(
        domain=DOMAIN, data=dict(entry.data), minor_version=4, title="Another"
    )
    another.add_to_hass(hass)
    assert await hass.config_entries.async_setup(another.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "send_message", target="42", text="Hi")
    assert error.value.translation_key == "several_gateways"
    await call(
        hass, "send_message", config_entry=another.entry_id, target="42", text="Hi"
    )
    assert gateway.received("send")
    for loaded in (entry, another):
        assert await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "send_message", target="42", text="Hi")
    assert error.value.translation_key == "no_gateway_loaded"


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.usefixtures("entry")
async def test_the_default_agent_is_woken(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    response = await call(hass, "wake", agent=AGENT, text="It rings.")
    assert response == {"accepted": True}
    [request] = gateway.received("wake")
    agent = {} if gateway.protocol == 3 else {"agentId": "main"}
    assert request.params == {"mode": "now", "text": "It rings.", **agent}


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    ("agent_settings", "session", "key"),
    [
        ({}, {"session": "us"}, "agent:main:ha-us"),
        ({"agent": "kitchen"}, {}, "agent:kitchen:main"),
    ],
)
async def test_a_session_is_woken_at_the_next_heartbeat(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    session: dict[str, Any],
    key: str,
) -> None:
    data: dict[str, Any] = {"agent": AGENT, "text": "It rained.", **session}
    data["when"] = "next_heartbeat"
    await call(hass, "wake", **data)
    [request] = gateway.received("wake")
    assert request.params["mode"] == "next-heartbeat"
    assert request.params["sessionKey"] == key


async def test_waking_needs_a_connection(
    hass: HomeAssistant, gateway: GatewaySimulator, entry: ClawdConfigEntry
) -> None:
    assert entry.runtime_data.client.hello
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "wake", agent=AGENT, text="It rings.")
    assert error.value.translation_key == "not_connected"


@pytest.mark.usefixtures("entry")
async def test_a_named_session_that_is_woken_has_its_rights(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    await call(hass, "wake", agent=AGENT, text="It rings.", session="us")

    [request] = gateway.received("sessions.patch")
    assert request.params == {"key": "agent:main:ha-us", "permissionMode": "guarded"}
    [woken] = gateway.received("wake")
    assert woken.params["sessionKey"] == "agent:main:ha-us"


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("agent_settings", [{"agent": "gone"}])
@pytest.mark.parametrize("session", [{}, {"session": "us"}])
async def test_an_agent_that_is_gone_is_not_woken(
    hass: HomeAssistant, gateway: GatewaySimulator, session: dict[str, Any]
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "wake", agent=AGENT, text="It rings.", **session)
    assert error.value.translation_key == "agent_deleted"
    assert gateway.received("wake") == gateway.received("sessions.patch") == []
