"""Button that runs the self-test."""

import asyncio

from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.simulator import GatewaySimulator

from .states import CONNECTIVITY, RUN_BUTTON, wait_for_state

pytestmark = pytest.mark.usefixtures("harness")


async def _press(hass: HomeAssistant) -> None:
    await hass.services.async_call(
        BUTTON, SERVICE_PRESS, {ATTR_ENTITY_ID: RUN_BUTTON}, blocking=True
    )


@pytest.mark.parametrize("protocol", [3, 4])
async def test_it_runs_an_active_self_test(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await _press(hass)

    report = entry.runtime_data.reports.data
    assert report["mode"] == "active"
    assert report["entry"] == entry.entry_id


async def test_it_needs_no_connection(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, "off")
    state = hass.states.get(RUN_BUTTON)
    assert state
    assert state.state != STATE_UNAVAILABLE

    await _press(hass)

    assert entry.runtime_data.reports.data["readiness"] == "fail"


async def test_it_says_that_a_self_test_is_running(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.hold("health")
    first = asyncio.create_task(_press(hass))
    await gateway.wait_for_request("health")

    with pytest.raises(ServiceValidationError) as caught:
        await _press(hass)
    assert caught.value.translation_key == "self_test_running"

    gateway.release("health")
    await first
    assert len(entry.runtime_data.reports.reports) == 1


async def test_it_is_for_diagnosis(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    registered = er.async_get(hass).async_get(RUN_BUTTON)

    assert registered
    assert registered.unique_id == f"{entry.entry_id}_self_test"
    assert registered.entity_category is EntityCategory.DIAGNOSTIC
