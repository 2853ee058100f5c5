"""The approval of a device at the Gateway, as the flow waits for it."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd import visit
from tests.simulator import GatewaySimulator

from .flows import go_on, start, text_of, wait


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for approval again at once."""
    monkeypatch.setattr(visit, "APPROVAL_POLL_INTERVAL", 0.0)


@pytest.fixture
async def progress(hass: HomeAssistant, gateway: GatewaySimulator) -> ConfigFlowResult:
    """Fill in the form; return what waits for approval."""
    assert await async_setup_component(hass, "homeassistant", {})
    gateway.pairing = True
    answers: dict[str, Any] = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token}
    waiting = await start(hass, answers)
    assert waiting["type"] is FlowResultType.SHOW_PROGRESS
    assert waiting["progress_action"] == "wait_for_approval"
    return waiting


@pytest.mark.parametrize(("protocol", "program"), [(3, "clawdbot"), (4, "openclaw")])
async def test_the_dialog_says_where_to_approve_and_goes_on_when_it_is_done(
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
    result = await go_on(hass, progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].state is ConfigEntryState.LOADED
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_a_request_that_expired_is_shown_anew(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    progress: ConfigFlowResult,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visit, "REQUEST_LIFETIME", 0.0)
    first = text_of(progress, "request_id")

    gateway.devices.pending.clear()
    await hass.async_block_till_done(wait_background_tasks=True)
    progress = await go_on(hass, progress)

    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert [text_of(progress, "request_id")] == list(gateway.devices.pending) != [first]
    hass.config_entries.flow.async_abort(progress["flow_id"])


async def test_a_request_that_was_refused_can_be_made_again(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    gateway.devices.pending.clear()
    form = await wait(hass, progress)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "refused"

    progress = await go_on(hass, form, {})
    gateway.approve(text_of(progress, "request_id"))
    result = await wait(hass, progress)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(result["result"].entry_id)


async def test_closing_the_dialog_ends_the_wait(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    hass.config_entries.flow.async_abort(progress["flow_id"])

    await hass.async_block_till_done(wait_background_tasks=True)
    await gateway.wait_until(lambda: not gateway.peers)


async def test_an_error_while_waiting_for_approval_is_shown(
    hass: HomeAssistant, gateway: GatewaySimulator, progress: ConfigFlowResult
) -> None:
    gateway.token = "changed"

    form = await wait(hass, progress)

    assert form["step_id"] == "user"
    assert form["errors"] == {CONF_TOKEN: "invalid_token"}
