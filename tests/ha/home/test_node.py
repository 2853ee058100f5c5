"""Home as a node of the Gateway."""

import asyncio

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.runtime.node import NodeRuntime
from tests.ha.self_test import RUNS_LONG, problems, run_self_test
from tests.simulator import GatewaySimulator

from .nodes import COMMANDS, node_of, wait_for_node

no_access = pytest.mark.parametrize("home_settings", [{"home_access": "none"}])


async def test_the_node_has_a_key_and_a_name_of_its_own(
    entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    params = await wait_for_node(gateway, entry)

    operator = entry.runtime_data.client.device_id
    assert params["device"]["id"] not in ("", operator)
    assert params["role"] == "node"
    assert params["scopes"] == []
    assert params["commands"] == COMMANDS
    client = params["client"]
    assert (client["id"], client["mode"], client["platform"]) == (
        "node-host",
        "node",
        "linux",
    )
    fragment = params["device"]["id"][:4]
    assert client["displayName"] == f"Home Assistant (test home) {fragment}"


async def test_key_and_token_are_kept_and_removed_with_the_entry(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    hass_storage: dict[str, object],
) -> None:
    first = (await wait_for_node(gateway, entry))["device"]["id"]
    names = [
        f"clawd.{name}.{entry.entry_id}" for name in ("node_identity", "node_token")
    ]
    await gateway.wait_until(lambda: hass_storage.keys() >= {*names})

    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await wait_for_node(gateway, entry))["device"]["id"] == first
    await hass.async_block_till_done()
    assert await hass.config_entries.async_remove(entry.entry_id)

    assert not {*names} & hass_storage.keys()


@no_access
async def test_without_access_there_is_no_node(
    entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    assert entry.runtime_data.node is None
    assert entry.runtime_data.clients == (entry.runtime_data.client,)
    assert len(gateway.open_connections) == 1


@no_access
async def test_a_changed_setting_starts_and_ends_the_node(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    [subentry] = entry.subentries.values()
    for access in ("read", "none"):
        data = {**subentry.data, "home_access": access}
        hass.config_entries.async_update_subentry(entry, subentry, data=data)
        await hass.async_block_till_done()
        if access == "read":
            await wait_for_node(gateway, entry)

    assert entry.runtime_data.node is None
    await gateway.wait_until(lambda: not gateway.nodes.sessions)


@pytest.mark.parametrize("protocol", [3])
async def test_clawdbot_gets_no_node(entry: MockConfigEntry) -> None:
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.node is None


async def test_an_updated_gateway_gets_the_node(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.nodes.missing = True
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert new_entry.runtime_data.node is None

    gateway.nodes.missing = False
    await gateway.restart()
    await gateway.wait_until(lambda: bool(gateway.nodes.sessions))
    await hass.async_block_till_done()

    await wait_for_node(gateway, new_entry)


async def test_the_operator_does_not_depend_on_the_node(
    hass: HomeAssistant, new_entry: MockConfigEntry, hass_storage: dict[str, object]
) -> None:
    key = f"clawd.node_identity.{new_entry.entry_id}"
    hass_storage[key] = {"version": 1, "key": key, "data": {"secret": "broken"}}
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()

    assert new_entry.state is ConfigEntryState.LOADED
    assert new_entry.runtime_data.node is None


async def test_calls_are_served_while_home_assistant_runs(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    host = node_of(new_entry).host
    assert not host.ready

    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert host.ready

    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert not host.ready


async def test_an_unload_ends_the_node_at_once(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await wait_for_node(gateway, entry)
    node: NodeRuntime = node_of(entry)

    async with asyncio.timeout(1):
        assert await hass.config_entries.async_unload(entry.entry_id)

    assert node.client.introspection.tasks == {}
    await gateway.wait_until(lambda: not gateway.open_connections)


@RUNS_LONG
async def test_a_self_test_knows_the_node(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await wait_for_node(gateway, entry)
    for mode in ("active", "drill"):
        report = await run_self_test(hass, mode=mode)
        assert problems(report) == {}
