"""Config flow with device approval."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd.flows import setup
from tests.simulator import GatewaySimulator

from .flows import placeholder, start_user_flow, submit, wait_for_progress


@pytest.fixture(autouse=True)
def _no_poll_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll for approval without a pause."""
    monkeypatch.setattr(setup, "APPROVAL_POLL_INTERVAL", 0.0)


@pytest.fixture
async def progress(hass: HomeAssistant, gateway: GatewaySimulator) -> ConfigFlowResult:
    """Submit the form and return the wait for approval."""
    assert await async_setup_component(hass, "homeassistant", {})
    gateway.pairing = True
    answers: dict[str, Any] = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    waiting = await start_user_flow(hass, answers)
    assert waiting["type"] is FlowResultType.SHOW_PROGRESS
    assert waiting["progress_action"] == "wait_for_approval"
    return waiting


@pytest.mark.parametrize(("protocol", "program"), [(3, "clawdbot"), (4, "openclaw")])
async def test_the_flow_shows_how_to_approve_and_continues_after_it(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    progress: ConfigFlowResult,
    program: str,
) -> None:
    [request_id] = gateway.devices.pending
    assert progress["description_placeholders"] == {
        "request_id": request_id,
        "command": f"{program} devices approve {request_id}",
        "devices_url": f"http://{gateway.host}:{gateway.port}/nodes",
    }

    await gateway.wait_for_request("connect", 3)
    gateway.approve(request_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await submit(hass, progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_an_expired_request_is_replaced(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    progress: ConfigFlowResult,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "PAIRING_REQUEST_LIFETIME", 0.0)
    first = placeholder(progress, "request_id")

    gateway.devices.pending.clear()
    await hass.async_block_till_done(wait_background_tasks=True)
    progress = await submit(hass, progress)

    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert (
        [placeholder(progress, "request_id")]
        == list(gateway.devices.pending)
        != [first]
    )
    hass.config_entries.flow.async_abort(progress["flow_id"])


async def test_a_refused_request_can_be_repeated(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    gateway.devices.pending.clear()
    form = await wait_for_progress(hass, progress)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "refused"

    progress = await submit(hass, form, {})
    gateway.approve(placeholder(progress, "request_id"))
    result = await wait_for_progress(hass, progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_closing_the_dialog_ends_the_wait(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    hass.config_entries.flow.async_abort(progress["flow_id"])

    await hass.async_block_till_done(wait_background_tasks=True)
    await gateway.wait_until(lambda: not gateway.open_connections)


async def test_an_error_while_waiting_for_approval_is_shown(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    gateway.token = "changed"

    form = await wait_for_progress(hass, progress)

    assert form["step_id"] == "user"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}
