"""Approval of the node."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import NodeTool
from custom_components.clawd.home import approval
from custom_components.clawd.runtime.node import NodeApproval
from tests.ha.flows import setup_link
from tests.ha.repair import Repair, open_issues, texts_of
from tests.simulator import GatewaySimulator

from .nodes import ACCESS, node_of, wait_for_node

TOOL = NodeTool("home_state", "States of the home.", {"type": "object"})


async def until_issue(hass: HomeAssistant, *names: str) -> None:
    """Wait until exactly these issues are open."""
    async with asyncio.timeout(5):
        while set(open_issues(hass)) != set(names):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)


async def until_approval(entry: MockConfigEntry, state: NodeApproval) -> None:
    """Wait for an approval status."""
    async with asyncio.timeout(5):
        while node_of(entry).approval is not state:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)


async def restart_node(gateway: GatewaySimulator, entry: MockConfigEntry) -> None:
    """Let the node connect again."""
    await node_of(entry).client.reopen("the test wants it")
    node_of(entry).client.resume()
    await wait_for_node(gateway, entry)


@pytest.fixture
async def remote(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> MockConfigEntry:
    """Set up an entry with a remote node."""
    await set_up_remote(hass, new_entry, gateway)
    node_of(new_entry).host.set_tools([TOOL])
    return new_entry


async def set_up_remote(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    """Pair the operator, then the node of a Gateway that asks its owner."""
    [subentry] = entry.subentries.values()
    settings = dict(subentry.data)
    update = hass.config_entries.async_update_subentry
    update(entry, subentry, data={**settings, "home_access": "none"})
    assert await hass.config_entries.async_setup(entry.entry_id)
    gateway.pairing = True
    gateway.devices.bootstrap_tokens.add("bootstrap")
    update(entry, subentry, data=settings)
    await hass.async_block_till_done()


async def test_on_this_machine_the_node_is_approved_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    node = node_of(entry)
    node.host.set_tools([TOOL])
    await gateway.wait_until(lambda: bool(node.host.published))

    assert node.approval is NodeApproval.APPROVED
    assert open_issues(hass) == {}
    operator = entry.runtime_data.client
    assert operator.hello.scopes == ("operator.read", "operator.write")
    # The key that approved is removed again.
    removal = await gateway.wait_for_request("device.pair.remove")
    own = {operator.device_id, node.client.device_id}
    assert removal.params["deviceId"] not in own
    await gateway.wait_until(lambda: gateway.devices.approved.keys() <= own)


async def test_elsewhere_the_owner_runs_two_commands(
    hass: HomeAssistant, remote: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await until_issue(hass, "node_not_approved")
    node, issue = node_of(remote), open_issues(hass)["node_not_approved"]
    assert node.approval is NodeApproval.DEVICE
    [request_id] = gateway.devices.pending
    text = await texts_of(hass, issue)
    assert f"openclaw devices approve {request_id}\nopenclaw nodes pending" in text

    gateway.approve(request_id)
    node.client.resume()
    await until_approval(remote, NodeApproval.COMMANDS)
    text = await texts_of(hass, open_issues(hass)["node_not_approved"])
    assert "devices approve" not in text
    assert "openclaw nodes approve <requestId>" in text
    # Nobody was asked to approve a key that may approve.
    assert gateway.devices.pending == {}

    [request_id] = gateway.nodes.pending
    gateway.nodes.approve(request_id)
    await until_approval(remote, NodeApproval.APPROVED)
    await until_issue(hass)
    scopes = remote.runtime_data.client.hello.scopes
    assert scopes == ("operator.read", "operator.write")


async def test_the_repair_waits_for_the_owner(
    hass: HomeAssistant,
    remote: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    await until_issue(hass, "node_not_approved")
    step = await repair.open(remote, "node_not_approved")
    assert step["step_id"] == "approve"
    step = await repair.submit()
    assert step["errors"] == {"base": "not_fixed"}

    gateway.approve(next(iter(gateway.devices.pending)))
    node_of(remote).client.resume()
    await until_approval(remote, NodeApproval.COMMANDS)
    gateway.nodes.approve(next(iter(gateway.nodes.pending)))
    await until_issue(hass)
    step = await repair.submit()
    assert step["type"] == "create_entry"


@pytest.mark.parametrize("paired", [False, True])
async def test_a_node_link_approves_the_node(
    hass: HomeAssistant,
    remote: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
    *,
    paired: bool,
) -> None:
    await until_issue(hass, "node_not_approved")
    asked = node_of(remote).client.device_id
    if paired:
        gateway.approve(next(iter(gateway.devices.pending)))
        node_of(remote).client.resume()
        await until_approval(remote, NodeApproval.COMMANDS)
    await repair.open(remote, "node_not_approved")
    step = await repair.submit(node_link=setup_link(gateway))

    assert step.get("errors") is None
    assert step["type"] == "create_entry"
    await until_approval(remote, NodeApproval.APPROVED)
    await until_issue(hass)
    # A key that has asked before is not let in by a link.
    assert node_of(remote).client.device_id != asked


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ({"url": "ws://127.0.0.1:1"}, "node_link_other_gateway"),
        ({"expiresAtMs": 1}, "node_link_expired"),
        ({}, "node_link_refused"),
        (None, "node_link_invalid"),
    ],
)
async def test_a_node_link_that_does_not_help_is_named(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    remote: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
    link: dict[str, Any] | None,
    error: str,
) -> None:
    await until_issue(hass, "node_not_approved")
    gateway.devices.bootstrap_tokens.clear()
    await repair.open(remote, "node_not_approved")
    text = "nonsense" if link is None else setup_link(gateway, **link)

    step = await repair.submit(node_link=text)

    assert step["errors"] == {"node_link": error}
    # It goes on waiting for the owner.
    await until_approval(remote, NodeApproval.DEVICE)


async def test_a_repair_of_an_unloaded_entry_says_so(
    hass: HomeAssistant, remote: MockConfigEntry, repair: Repair
) -> None:
    await until_issue(hass, "node_not_approved")
    await repair.open(remote, "node_not_approved")
    remote.mock_state(hass, remote.state.SETUP_RETRY)
    step = await repair.submit()
    remote.mock_state(hass, remote.state.LOADED)
    assert step["errors"] == {"base": "not_connected"}


async def test_without_a_token_a_link_is_asked_for(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    settings, update = dict(subentry.data), hass.config_entries.async_update_subentry
    update(new_entry, subentry, data={**settings, "home_access": "none"})
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    data = {key: new_entry.data[key] for key in new_entry.data if key != "token"}
    hass.config_entries.async_update_entry(new_entry, data=data)
    await hass.async_block_till_done()
    update(new_entry, subentry, data=settings)
    await hass.async_block_till_done()

    await until_issue(hass, "node_link_required")
    assert node_of(new_entry).approval is NodeApproval.LINK


async def test_a_refused_approval_is_not_tried_again(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await set_up_remote(hass, new_entry, gateway)
    await until_issue(hass, "node_not_approved")
    node = node_of(new_entry)
    gateway.approve(next(iter(gateway.devices.pending)))
    node.asked_owner = False
    node.client.resume()
    await until_approval(new_entry, NodeApproval.COMMANDS)
    assert node.asked_owner
    count = len(gateway.received("connect"))
    await approval.async_check_approval(hass, new_entry)
    assert len(gateway.received("connect")) == count


async def test_what_is_not_known_changes_nothing(
    hass: HomeAssistant, remote: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await until_issue(hass, "node_not_approved")
    # The Gateway does not know the node yet.
    await approval.async_check_approval(hass, remote)
    assert set(open_issues(hass)) == {"node_not_approved"}

    gateway.drop()
    await approval.async_check_approval(hass, remote)
    assert set(open_issues(hass)) == {"node_not_approved"}

    runtime, node = remote.runtime_data, node_of(remote)
    runtime.node = None
    await approval.async_check_approval(hass, remote)
    runtime.node = node


async def test_the_operator_asks_when_it_is_back(
    entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await until_approval(entry, NodeApproval.APPROVED)
    gateway.nodes.approved.clear()
    asked = len(gateway.received("node.list"))
    await entry.runtime_data.client.reopen("the test wants it")
    await gateway.wait_for_request("node.list", asked + 1)


async def test_another_holder_of_the_key_is_named_and_replaced(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    node = node_of(entry)
    node.host.set_tools([TOOL])
    await gateway.wait_until(lambda: bool(node.host.published))
    session = gateway.nodes.sessions.pop(node.client.device_id)
    node.host.set_tools([TOOL, NodeTool("home_control", "More.", {"type": "object"})])
    await until_issue(hass, "node_taken_over")

    await repair.open(entry, "node_taken_over")
    step = await repair.submit()
    assert step["type"] == "create_entry"
    assert node_of(entry).client.device_id != session.node_id
    await until_issue(hass)


async def test_a_key_that_cannot_be_read_is_replaced(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    repair: Repair,
) -> None:
    key = f"clawd.node_identity.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": {"secret": "broken"}}
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await until_issue(hass, "node_key_unreadable")

    await repair.open(new_entry, "node_key_unreadable")
    step = await repair.submit()
    assert step["type"] == "create_entry"
    assert node_of(new_entry).client.device_id


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with access, in a home without tools."""
    return ACCESS
