"""Config flow steps for the home."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_ADDRESS, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.clawd.const import DOMAIN, SUBENTRY_CONVERSATION
from custom_components.clawd.coordinator import subentries_of_type
from custom_components.clawd.flows import node_setup, setup
from tests.simulator import GatewaySimulator, Refusal

from .flows import NO_ACCESS, configure, placeholder, setup_link, suggested_values
from .repair import open_issues

CONTROL = {"home_access": "control"}
COMMANDS = ["mcp.tools.call.v1", "system.notify"]


@pytest.fixture(autouse=True)
async def _short_polls(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll for approval without a pause."""
    assert await async_setup_component(hass, "homeassistant", {})
    monkeypatch.setattr(setup, "APPROVAL_POLL_INTERVAL", 0.0)
    monkeypatch.setattr(node_setup, "APPROVAL_POLL_INTERVAL", 0.01)


async def log_in(
    hass: HomeAssistant, gateway: GatewaySimulator, **answers: str
) -> ConfigFlowResult:
    """Submit address and token; return the step after the login."""
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    answers = {CONF_ADDRESS: gateway.url, CONF_TOKEN: gateway.token, **answers}
    return await configure(hass, form, {k: v for k, v in answers.items() if v})


async def wait(hass: HomeAssistant, step: ConfigFlowResult) -> ConfigFlowResult:
    """Return the next step of the flow."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return await configure(hass, step)


@pytest.fixture
async def remote(hass: HomeAssistant, gateway: GatewaySimulator) -> ConfigFlowResult:
    """Log in to a Gateway that takes us for another machine."""
    gateway.pairing = True
    gateway.devices.bootstrap_tokens.add("bootstrap")
    step = await log_in(hass, gateway)
    gateway.approve(placeholder(step, "request_id"))
    return await wait(hass, step)


async def finish(hass: HomeAssistant, result: ConfigFlowResult) -> dict[str, Any]:
    """Return the settings of the agent of a new entry."""
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    [subentry] = subentries_of_type(result["result"], SUBENTRY_CONVERSATION)
    return dict(subentry.data)


async def wait_published(gateway: GatewaySimulator, result: ConfigFlowResult) -> None:
    """Wait until the node of a new entry is approved."""
    host = result["result"].runtime_data.node.host
    host.set_tools([node_setup.PLACEHOLDER])
    await gateway.wait_until(lambda: bool(host.published))


async def test_on_this_machine_only_the_access_is_asked(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    step = await log_in(hass, gateway)
    assert step["step_id"] == "home"
    assert step["data_schema"]
    assert step["data_schema"]({}) == CONTROL

    result = await configure(hass, step, CONTROL)

    assert (await finish(hass, result))["home_access"] == "control"
    await wait_published(gateway, result)
    assert open_issues(hass) == {}


async def test_without_access_nothing_else_is_asked(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    assert remote["data_schema"]
    assert remote["data_schema"]({}) == NO_ACCESS

    result = await configure(hass, remote, NO_ACCESS)

    assert (await finish(hass, result))["home_access"] == "none"
    assert gateway.nodes.sessions == {}
    assert open_issues(hass) == {}


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_is_not_asked_for(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    result = await log_in(hass, gateway)
    assert (await finish(hass, result))["home_access"] == "none"


async def test_a_gateway_without_tools_of_nodes_is_not_asked_for(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.nodes.missing = True
    result = await log_in(hass, gateway)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_a_node_link_approves_the_node(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    menu = await configure(hass, remote, CONTROL)
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == ["node_link", "node_commands", "node_later"]
    form = await configure(hass, menu, {"next_step_id": "node_link"})

    result = await configure(hass, form, {"node_link": setup_link(gateway)})

    assert (await finish(hass, result))["home_access"] == "control"
    [node_id] = gateway.nodes.approved
    assert result["result"].runtime_data.node.client.device_id == node_id
    await wait_published(gateway, result)
    assert open_issues(hass) == {}


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("no link", "node_link_invalid"),
        ("expired", "node_link_expired"),
        ("other", "node_link_other_gateway"),
        ("unknown", "node_link_refused"),
    ],
)
async def test_a_node_link_that_does_not_help_is_named(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    remote: ConfigFlowResult,
    link: str,
    error: str,
) -> None:
    menu = await configure(hass, remote, CONTROL)
    form = await configure(hass, menu, {"next_step_id": "node_link"})
    before = len(gateway.received("connect"))
    links = {
        "expired": setup_link(gateway, expiresAtMs=1),
        "other": setup_link(gateway, "ws://127.0.0.1:1"),
        "unknown": setup_link(gateway),
    }
    gateway.devices.bootstrap_tokens.clear()

    form = await configure(hass, form, {"node_link": links.get(link, link)})

    assert form["errors"] == {"node_link": error}
    assert suggested_values(form) == {}
    sent = len(gateway.received("connect")) - before
    assert sent == int(error == "node_link_refused")
    menu = await configure(hass, form, {})
    assert menu["step_id"] == "node_approval"
    result = await configure(hass, menu, {"next_step_id": "node_later"})
    assert (await finish(hass, result))["home_access"] == "control"


async def test_the_commands_are_shown_one_after_the_other(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    menu = await configure(hass, remote, CONTROL)
    progress = await configure(hass, menu, {"next_step_id": "node_commands"})
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    [request_id] = gateway.devices.pending
    first = [
        f"openclaw devices approve {request_id}",
        "openclaw nodes pending",
        "openclaw nodes approve <requestId>",
    ]
    assert placeholder(progress, "commands").splitlines() == first
    again = await configure(hass, progress)
    assert again["type"] is FlowResultType.SHOW_PROGRESS

    gateway.approve(request_id)
    progress = await wait_for_commands(hass, progress, 2)
    assert placeholder(progress, "commands").splitlines() == first[1:]

    [request_id] = gateway.nodes.pending
    gateway.nodes.approve(request_id)
    await gateway.wait_until(lambda: bool(gateway.nodes.tools()))
    refused = await gateway.nodes.call("home_state", {})
    assert refused["error"]["code"] == "NODE_NOT_READY"
    result = await wait_for_end(hass, progress)

    assert (await finish(hass, result))["home_access"] == "control"
    assert list(gateway.nodes.approved.values()) == [COMMANDS]
    await wait_published(gateway, result)
    assert open_issues(hass) == {}


async def wait_for_commands(
    hass: HomeAssistant, progress: ConfigFlowResult, count: int
) -> ConfigFlowResult:
    """Wait until a number of commands is shown."""
    while len(placeholder(progress, "commands").splitlines()) != count:
        await asyncio.sleep(0)
        progress = await configure(hass, progress)
        assert progress["type"] is FlowResultType.SHOW_PROGRESS
    return progress


async def wait_for_end(
    hass: HomeAssistant, progress: ConfigFlowResult
) -> ConfigFlowResult:
    """Wait for the end of progress."""
    flow_id, step_id = progress["flow_id"], progress.get("step_id")
    if progress["type"] is not FlowResultType.SHOW_PROGRESS:
        return progress
    flows = hass.config_entries.flow
    while flows.async_get(flow_id)["step_id"] == step_id:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    return await configure(hass, progress)


async def test_a_node_that_is_approved_at_once_is_not_waited_for(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    gateway.pairing = False
    gateway.nodes.missing = False
    menu = await configure(hass, remote, CONTROL)
    progress = await configure(hass, menu, {"next_step_id": "node_commands"})
    await gateway.wait_until(lambda: bool(gateway.nodes.pending))
    [request_id] = gateway.nodes.pending
    gateway.nodes.approve(request_id)
    result = await wait_for_end(hass, progress)
    await finish(hass, result)


@pytest.mark.parametrize("seconds", [0.0, 0.05])
async def test_without_an_approval_a_repair_goes_on(
    hass: HomeAssistant,
    gateway: GatewaySimulator,
    remote: ConfigFlowResult,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
) -> None:
    monkeypatch.setattr(node_setup, "APPROVAL_TIMEOUT", seconds)
    menu = await configure(hass, remote, CONTROL)
    step = await configure(hass, menu, {"next_step_id": "node_commands"})
    step = await wait_for_end(hass, step)

    assert (await finish(hass, step))["home_access"] == "control"
    node_id = step["result"].runtime_data.node.client.device_id
    while "node_not_approved" not in open_issues(hass):  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)
    [pending] = gateway.devices.pending.values()
    assert pending["deviceId"] == node_id


async def test_a_refusal_ends_the_wait(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    menu = await configure(hass, remote, CONTROL)
    step = await configure(hass, menu, {"next_step_id": "node_commands"})
    gateway.refuse(Refusal.SIGNATURE)
    flow_id = step["flow_id"]

    flows = hass.config_entries.flow
    async with asyncio.timeout(3):
        while flows.async_get(flow_id)["step_id"] != "node_done":  # noqa: ASYNC110
            await asyncio.sleep(0)
    flows.async_abort(flow_id)


async def test_closing_the_dialog_ends_the_connection(
    hass: HomeAssistant, gateway: GatewaySimulator, remote: ConfigFlowResult
) -> None:
    menu = await configure(hass, remote, CONTROL)
    step = await configure(hass, menu, {"next_step_id": "node_commands"})
    gateway.approve(next(iter(gateway.devices.pending)))
    await wait_for_commands(hass, step, 2)
    hass.config_entries.flow.async_abort(step["flow_id"])

    await hass.async_block_till_done(wait_background_tasks=True)
    await gateway.wait_until(lambda: not gateway.open_connections)


async def test_without_a_token_only_a_link_helps(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.pairing = True
    gateway.devices.bootstrap_tokens.add("bootstrap")
    step = await log_in(hass, gateway, address=setup_link(gateway), token="")
    gateway.approve(placeholder(step, "request_id"))
    step = await wait(hass, step)
    menu = await configure(hass, step, CONTROL)

    assert menu["menu_options"] == ["node_link", "node_later"]
    hass.config_entries.flow.async_abort(menu["flow_id"])
