"""The blueprint that notifies when a self-test fails."""

from pathlib import Path
from shutil import copytree

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from custom_components.clawd.reports import Status
from tests.simulator import GatewaySimulator

from .check_stubs import check_stub, run_stubs
from .self_test import run_self_test
from .states import CONNECTIVITY, SELF_TEST_EVENT, state_of, wait_for_state

FOLDER = Path(__file__).parents[2] / "blueprints"
BLUEPRINT = "clawd/notify_on_self_test_failure.yaml"


@pytest.fixture
async def notifications(
    hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path
) -> list[ServiceCall]:
    """Make an automation of the blueprint and return what it sends."""
    hass.config.config_dir = str(tmp_path)
    copytree(FOLDER, tmp_path / "blueprints")
    calls = async_mock_service(hass, "persistent_notification", "create")
    uses = {"path": BLUEPRINT, "input": {"self_test": SELF_TEST_EVENT}}
    config = {"automation": {"use_blueprint": uses}}
    assert await async_setup_component(hass, "automation", config)
    await hass.async_block_till_done()
    assert entry.runtime_data.reports.data is None
    return calls


async def test_home_assistant_loads_it(hass: HomeAssistant, tmp_path: Path) -> None:
    hass.config.config_dir = str(tmp_path)
    copytree(FOLDER, tmp_path / "blueprints")
    assert await async_setup_component(hass, "automation", {})

    blueprint = await async_get_blueprints(hass).async_get_blueprint(BLUEPRINT)

    assert blueprint.validate() is None
    assert set(blueprint.inputs) == {"self_test", "notify"}
    assert blueprint.metadata["source_url"].endswith(f"automation/{BLUEPRINT}")


@pytest.mark.parametrize("status", [Status.FAIL, Status.ERROR])
async def test_a_failure_is_told_with_its_checks(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notifications: list[ServiceCall],
    status: Status,
) -> None:
    await run_stubs(hass, entry, check_stub(status), check_stub(status, "another"))

    [call] = notifications
    assert call.data["title"] == "OpenClaw Gateway: the self-test failed"
    assert call.data["message"].startswith("Failed checks: stub, another.")


@pytest.mark.parametrize("status", [Status.PASS, Status.WARN])
async def test_nothing_else_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notifications: list[ServiceCall],
    status: Status,
) -> None:
    await run_stubs(hass, entry, check_stub(status))

    assert notifications == []


async def test_each_failure_is_told_once(
    hass: HomeAssistant, entry: MockConfigEntry, notifications: list[ServiceCall]
) -> None:
    await run_stubs(hass, entry, check_stub(Status.FAIL))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert len(notifications) == 1

    await run_stubs(hass, entry, check_stub(Status.FAIL))
    assert len(notifications) == 2


async def test_an_event_that_is_removed_and_added_is_not_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notifications: list[ServiceCall],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await run_stubs(hass, entry, check_stub(Status.FAIL))
    failed = state_of(hass, SELF_TEST_EVENT)
    hass.states.async_remove(SELF_TEST_EVENT)
    hass.states.async_set(SELF_TEST_EVENT, failed.state, failed.attributes)
    await hass.async_block_till_done()

    assert len(notifications) == 1
    assert "Error rendering" not in caplog.text


async def test_a_gateway_that_is_away_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    notifications: list[ServiceCall],
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")

    await run_self_test(hass, config_entry=entry.entry_id)
    await hass.async_block_till_done()

    [call] = notifications
    assert call.data["message"] == "The Gateway is not connected."
