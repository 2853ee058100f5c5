"""Connectivity sensor and availability."""

import asyncio
import logging

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import ConnectionState, Transition
from tests.simulator import GatewaySimulator, Refusal

from .states import AGENT, CONNECTIVITY, wait_for_state


async def test_a_connected_gateway_is_on(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    assert entry.runtime_data.client.hello

    state = hass.states.get(CONNECTIVITY)
    assert state
    assert state.state == STATE_ON
    assert state.attributes["device_class"] == "connectivity"


LOST = "Connection to the Gateway lost"


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_drop_turns_everything_off_until_it_is_over(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTIVITY, STATE_OFF)
    await wait_for_state(hass, AGENT, STATE_UNAVAILABLE)

    await gateway.resume()
    entry.runtime_data.client.resume()
    await wait_for_state(hass, CONNECTIVITY, STATE_ON)

    agent = hass.states.get(AGENT)
    assert agent
    assert agent.state != STATE_UNAVAILABLE


async def test_lost_and_restored_are_logged_once_each(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    gateway.refuse(Refusal.STARTING_HTTP, times=2)

    gateway.drop()
    await wait_for_state(hass, CONNECTIVITY, STATE_OFF)
    await wait_for_state(hass, CONNECTIVITY, STATE_ON)

    assert entry.runtime_data.client.statistics.connects == 2
    messages = [r.getMessage() for r in caplog.records if "the Gateway" in r.message]
    assert messages == [
        "Connection to the Gateway lost (1006)",
        "Connection to the Gateway restored",
    ]


@pytest.mark.parametrize("protocol", [3])
async def test_a_restart_that_was_announced_is_no_reason_to_warn(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    gateway: GatewaySimulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await gateway.restart()
    await wait_for_state(hass, CONNECTIVITY, STATE_OFF)
    entry.runtime_data.client.resume()
    await wait_for_state(hass, CONNECTIVITY, STATE_ON)

    [lost] = [r for r in caplog.records if r.getMessage().startswith(LOST)]
    assert lost.levelno == logging.INFO


async def test_home_assistant_stopping_is_no_loss(
    hass: HomeAssistant, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    closed = asyncio.Event()

    def note(change: Transition) -> None:
        if change.state is ConnectionState.CLOSED:
            closed.set()

    entry.runtime_data.client.subscribe_state(note)

    await hass.async_stop(force=True)
    await closed.wait()

    assert "Connection to the Gateway" not in caplog.text
