"""Offer of home access to existing entries."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.ha.repair import Repair, open_issues
from tests.simulator import GatewaySimulator


@pytest.fixture
def agent_settings() -> dict[str, Any]:
    """Return the settings of an agent from before."""
    return {}


@pytest.fixture
async def old_entry(hass: HomeAssistant, new_entry: MockConfigEntry) -> MockConfigEntry:
    """Set up an entry from before."""
    hass.config_entries.async_update_entry(new_entry, minor_version=4)
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    return new_entry


@pytest.mark.parametrize("access", ["none", "read", "control"])
async def test_an_old_entry_is_offered_the_home_once(
    hass: HomeAssistant, old_entry: MockConfigEntry, repair: Repair, access: str
) -> None:
    assert set(open_issues(hass)) == {"home_offered"}
    assert old_entry.runtime_data.node is None

    step = await repair.open(old_entry, "home_offered")
    assert step["step_id"] == "choose"
    step = await repair.submit(home_access=access)
    assert step["type"] == "create_entry"
    await hass.async_block_till_done()

    [subentry] = old_entry.subentries.values()
    assert subentry.data["home_access"] == access
    assert "home_offered" not in open_issues(hass)
    assert (old_entry.runtime_data.node is None) is (access == "none")
    await hass.config_entries.async_reload(old_entry.entry_id)
    assert "home_offered" not in open_issues(hass)


async def test_access_in_the_settings_ends_the_offer(
    hass: HomeAssistant, old_entry: MockConfigEntry
) -> None:
    [subentry] = old_entry.subentries.values()
    data = {**subentry.data, "home_access": "read"}
    hass.config_entries.async_update_subentry(old_entry, subentry, data=data)
    await hass.async_block_till_done()
    assert "home_offered" not in open_issues(hass)


async def test_an_update_of_the_gateway_brings_the_offer(
    hass: HomeAssistant, new_entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    hass.config_entries.async_update_entry(new_entry, minor_version=4)
    gateway.nodes.missing = True
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    await hass.async_block_till_done()
    assert open_issues(hass) == {}

    gateway.nodes.missing = False
    await gateway.restart()
    while "home_offered" not in open_issues(hass):
        await gateway.wait_for_request("agents.list")
        await hass.async_block_till_done()


async def test_a_new_entry_gets_no_offer(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_setup(new_entry.entry_id)
    assert open_issues(hass) == {}
