"""Home settings of an agent."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.ha.downloads import Download
from tests.ha.test_subentries import ADVANCED, HOME, SETTINGS, Flow

from .harness import Home
from .tools import FakeApi, FakeTool


@pytest.fixture
def flow(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    """Return the subentry flow of a loaded entry."""
    return Flow(hass, entry)


@pytest.mark.parametrize(
    "home_settings", [{"llm_hass_api": ["assist", "gone"]}], ids=["stored"]
)
async def test_the_form_offers_neither_the_admin_api_nor_no_api(
    hass: HomeAssistant, flow: Flow
) -> None:
    FakeApi.register(hass, FakeTool("x"), api_id="homeassistant")
    await flow.reconfigure()
    form = await flow.submit(agent="main")
    section = form["data_schema"].schema["home"].schema.schema
    options = section["llm_hass_api"].config["options"]
    assert {option["value"] for option in options} == {"assist", "gone"}
    form = await flow.submit(**{**SETTINGS, "home": {**HOME, "llm_hass_api": []}})
    assert form["errors"] == {"base": "llm_api_invalid"}


async def test_access_is_given_in_the_form(
    hass: HomeAssistant, entry: MockConfigEntry, flow: Flow
) -> None:
    await flow.reconfigure()
    await flow.submit(agent="main")
    home = {**HOME, "home_access": "read", "sensitive_label": "careful"}
    await flow.submit(**{**SETTINGS, "home": home, "advanced": ADVANCED})
    await hass.async_block_till_done()

    [subentry] = entry.subentries.values()
    assert {**home, "agent": "main"}.items() <= subentry.data.items()


async def test_agents_of_earlier_versions_have_no_access(
    hass: HomeAssistant, new_entry: MockConfigEntry
) -> None:
    [subentry] = new_entry.subentries.values()
    data = {key: value for key, value in subentry.data.items() if key not in HOME}
    hass.config_entries.async_update_subentry(new_entry, subentry, data=data)
    hass.config_entries.async_update_entry(new_entry, minor_version=4)
    assert await hass.config_entries.async_setup(new_entry.entry_id)

    assert new_entry.minor_version == 7
    [subentry] = new_entry.subentries.values()
    assert subentry.data == {**data, **HOME}


@pytest.mark.parametrize(
    ("stored", "repaired"),
    [
        ({"home_access": "all"}, {"home_access": "none"}),
        ({"from_elsewhere": 1}, {"from_elsewhere": "none"}),
        ({"sensitive": None}, {"sensitive": "ask"}),
        ({"llm_hass_api": "assist"}, {"llm_hass_api": ["assist"]}),
        ({"llm_hass_api": [1]}, {"llm_hass_api": ["assist"]}),
        ({"llm_hass_api": []}, {"llm_hass_api": ["assist"]}),
        ({"llm_hass_api": ["homeassistant"]}, {"llm_hass_api": ["assist"]}),
    ],
)
async def test_stored_settings_that_are_wrong_are_the_safe_ones(
    hass: HomeAssistant,
    new_entry: MockConfigEntry,
    stored: dict[str, Any],
    repaired: dict[str, Any],
) -> None:
    [subentry] = new_entry.subentries.values()
    data = {**subentry.data, **stored}
    hass.config_entries.async_update_subentry(new_entry, subentry, data=data)
    assert await hass.config_entries.async_setup(new_entry.entry_id)

    [subentry] = new_entry.subentries.values()
    assert repaired.items() <= subentry.data.items()


async def test_diagnostics_have_counts_and_no_names(
    home: Home, download: Download
) -> None:
    with home.run():
        await home.call("HassTurnOn", name="Kitchen light")
        await home.refused("HassTurnOff", name="Front door", domain=["lock"])
    body = await download()

    assert '"done": 1' in body
    assert '"confirmation_required": 1' in body
    assert '"questions": 1' in body
    for name in ("Kitchen light", "kitchen_light", "Front door", "let_in"):
        assert name not in body
