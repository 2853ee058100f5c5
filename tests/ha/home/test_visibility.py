"""Hidden tools, and names of another home."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.clawd.gateway import DeviceIdentity, NodeTool, RunRequest
from custom_components.clawd.home.origin import CallOrigin
from custom_components.clawd.home.service import get_home
from custom_components.clawd.home.visibility import async_check_visible
from tests.ha.repair import Repair, open_issues, texts_of
from tests.simulator import GatewaySimulator
from tests.unit.gateway.node.homes import home_of, published

from .nodes import ACCESS, node_of
from .test_approval import until_issue

TOOL = NodeTool("home_state", "States of the home.", {"type": "object"})
SESSION = "agent:main:ha-1"


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent with access, in a home without tools."""
    return ACCESS


async def publish(entry: MockConfigEntry, gateway: GatewaySimulator) -> None:
    """Publish a tool."""
    host = node_of(entry).host
    host.set_tools([TOOL])
    await gateway.wait_until(lambda: bool(host.published))


@pytest.mark.parametrize(
    ("profile", "allowed", "shown"),
    [
        ("full", [], None),
        ("coding", ["homeassistant"], None),
        ("coding", ["group:plugins"], None),
        ("minimal", ["home_state"], None),
        ("coding", [], '["homeassistant"]'),
        ("messaging", ["read"], '["read", "homeassistant"]'),
    ],
)
async def test_a_profile_that_hides_the_tools_is_named(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    profile: str,
    allowed: list[str],
    shown: str | None,
) -> None:
    gateway.nodes.profile, gateway.nodes.also_allow = profile, allowed
    await publish(entry, gateway)
    await gateway.wait_for_request("config.get")
    assert await async_check_visible(hass, entry) is (shown is None)

    issue = open_issues(hass).get("home_tools_hidden")
    assert (issue is None) is (shown is None)
    if issue:
        command = f"openclaw config set tools.alsoAllow '{shown}'"
        assert command in await texts_of(hass, issue)


async def test_hidden_tools_are_looked_for_again(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.nodes.profile = "coding"
    await publish(entry, gateway)
    await until_issue(hass, "home_tools_hidden")
    node_of(entry).host.set_tools([TOOL, NodeTool("home_b", "B.", {"type": "object"})])
    await gateway.wait_for_request("config.get", 2)

    for profile in ("coding", "full"):
        gateway.nodes.profile = profile
        asked = len(gateway.received("config.get"))
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=301))
        await gateway.wait_for_request("config.get", asked + 1)
        # Its answer comes first.
        await entry.runtime_data.client.request("health")
        await asyncio.sleep(0)
        expected = {"home_tools_hidden"} if profile == "coding" else set()
        await until_issue(hass, *expected)


async def test_the_repair_looks_for_the_tools(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    gateway.nodes.profile = "coding"
    await publish(entry, gateway)
    await until_issue(hass, "home_tools_hidden")
    await repair.open(entry, "home_tools_hidden")
    assert (await repair.submit())["errors"] == {"base": "not_fixed"}
    gateway.nodes.also_allow = ["homeassistant"]
    assert (await repair.submit())["type"] == "create_entry"


async def test_the_repair_of_an_unloaded_entry_says_so(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    repair: Repair,
) -> None:
    gateway.nodes.profile = "coding"
    await publish(entry, gateway)
    await until_issue(hass, "home_tools_hidden")
    await repair.open(entry, "home_tools_hidden")
    await hass.config_entries.async_unload(entry.entry_id)
    assert (await repair.submit())["errors"] == {"base": "not_connected"}


async def test_the_tools_of_a_session_decide(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await publish(entry, gateway)
    [subentry_id] = entry.subentries
    home = get_home(entry)
    assert home is not None
    with home.origins.run(SESSION, CallOrigin(subentry_id, "1", "en")):
        pass
    # The Gateway does not know the session: the configuration decides.
    assert await async_check_visible(hass, entry)

    run = await entry.runtime_data.client.start_run(RunRequest("Hello", SESSION))
    await run.result()
    gateway.nodes.profile, gateway.nodes.also_allow = "coding", []
    assert not await async_check_visible(hass, entry)
    gateway.nodes.also_allow = ["home_state"]
    assert await async_check_visible(hass, entry)


async def test_a_lost_connection_shows_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.nodes.profile = "coding"
    gateway.drop()
    await entry.runtime_data.client.interrupt()
    assert await async_check_visible(hass, entry)
    assert "home_tools_hidden" not in open_issues(hass)


@pytest.mark.parametrize(
    ("location", "taken", "prefix"),
    [
        ("Summer cottage", ["home_state"], "summer_cottage_"),
        ("7 Elm Street", ["home_state"], "ha_7_elm_street_"),
        ("家", ["home_state", "jia_home_state"], "jia_{}_"),
    ],
)
async def test_a_second_home_has_names_of_its_own(  # noqa: PLR0913, PLR0917 - fixtures
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    location: str,
    taken: list[str],
    prefix: str,
) -> None:
    hass.config.location_name = location
    tools = [NodeTool(name, "Another home.", {"type": "object"}) for name in taken]
    async with published(gateway, *tools):
        assert await hass.config_entries.async_setup(new_entry.entry_id)
        await publish(new_entry, gateway)
        prefix = prefix.format(node_of(new_entry).client.device_id[:4])
        assert {f"{prefix}home_state", *taken} == set(gateway.nodes.tools())
    home = get_home(new_entry)
    assert home is not None
    assert home.prefix == prefix

    # It stays the same without the other home.
    assert await hass.config_entries.async_reload(new_entry.entry_id)
    await publish(new_entry, gateway)
    assert set(gateway.nodes.tools()) == {f"{prefix}home_state"}


async def test_homes_that_start_together_get_different_names(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await publish(entry, gateway)
    async with published(gateway, TOOL):
        await entry.runtime_data.node.client.reopen("the test wants it")
        node_of(entry).client.resume()
        await gateway.wait_until(lambda: "tool_prefix" in entry.data)
        await hass.async_block_till_done()
        await publish(entry, gateway)
        assert set(gateway.nodes.tools()) == {"home_state", "test_home_home_state"}


@pytest.mark.parametrize("prefix", [3, "no prefix!", ""])
async def test_a_prefix_that_is_none_is_ignored(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    gateway: GatewaySimulator,
    prefix: object,
) -> None:
    data = {**new_entry.data, "tool_prefix": prefix}
    hass.config_entries.async_update_entry(new_entry, data=data)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await publish(new_entry, gateway)
    assert set(gateway.nodes.tools()) == {"home_state"}


async def test_without_a_free_name_nothing_changes(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    identity = DeviceIdentity.generate()
    names = ["home_state", "test_home_home_state"]
    assert home_of(gateway, identity=identity)
    gateway.edit("node.list", lambda answer: answer["nodes"].append(other(names)))
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    prefix = new_entry.data["tool_prefix"]
    names.append(f"{prefix}home_state")
    assert await hass.config_entries.async_reload(new_entry.entry_id)
    assert new_entry.data["tool_prefix"] == prefix


def other(names: list[str]) -> dict[str, Any]:
    """Return the entry of another node."""
    tools = [{"name": name} for name in names]
    return {"nodeId": "another", "connected": True, "nodePluginTools": tools}


async def test_nodes_that_are_not_listed_change_nothing(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.edit("node.list", dict.clear)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert "tool_prefix" not in new_entry.data
