"""The sensors of the connection."""

import asyncio

from homeassistant.const import (
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    EntityCategory,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.util.dt import utc_from_timestamp
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.gateway import ConnectionState
from tests.simulator import GatewaySimulator, Refusal

from .states import (
    AGENT,
    CONNECTION_STATE,
    CONNECTIVITY,
    LAST_DISCONNECT,
    state_of,
    wait_for_state,
)

SECOND = 1.0


@pytest.fixture
def enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable entities disabled by default."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.mark.usefixtures("entry")
async def test_they_are_disabled_and_for_diagnosis(hass: HomeAssistant) -> None:
    for entity_id in (CONNECTION_STATE, LAST_DISCONNECT):
        registered = er.async_get(hass).async_get(entity_id)
        assert registered
        assert registered.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        assert registered.entity_category is EntityCategory.DIAGNOSTIC
        assert hass.states.get(entity_id) is None


@pytest.mark.usefixtures("enabled", "entry")
async def test_they_say_what_is_known_from_the_start(hass: HomeAssistant) -> None:
    state = state_of(hass, CONNECTION_STATE)
    assert state.state == "connected"
    assert state.attributes["options"] == list(ConnectionState)
    assert state_of(hass, LAST_DISCONNECT).state == STATE_UNKNOWN


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_drop_is_seen_by_every_entity_within_a_second(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.STARTING_HTTP, times=2)
    async with asyncio.timeout(SECOND):
        gateway.drop()
        await wait_for_state(hass, CONNECTIVITY, STATE_OFF)
        await wait_for_state(hass, AGENT, STATE_UNAVAILABLE)
        await wait_for_state(hass, CONNECTION_STATE, "reconnecting")

    lost = entry.runtime_data.coordinator.last_disconnect
    shown = state_of(hass, LAST_DISCONNECT)
    assert shown.state == utc_from_timestamp(lost.at).isoformat(timespec="seconds")
    assert shown.attributes["device_class"] == "timestamp"


@pytest.mark.usefixtures("enabled")
async def test_a_return_is_seen_by_every_entity_within_a_second(
    hass: HomeAssistant, entry: MockConfigEntry, gateway: GatewaySimulator
) -> None:
    await gateway.suspend()
    await wait_for_state(hass, CONNECTION_STATE, "reconnecting")
    await gateway.resume()

    async with asyncio.timeout(SECOND):
        entry.runtime_data.client.resume()
        await wait_for_state(hass, CONNECTION_STATE, "connected")
        await wait_for_state(hass, CONNECTIVITY, STATE_ON)

    assert state_of(hass, AGENT).state != STATE_UNAVAILABLE


@pytest.mark.usefixtures("enabled", "entry")
async def test_a_refusal_is_told_from_a_drop(
    hass: HomeAssistant, gateway: GatewaySimulator
) -> None:
    gateway.refuse(Refusal.TOKEN_MISMATCH)
    gateway.drop()

    await wait_for_state(hass, CONNECTION_STATE, "paused")

    assert state_of(hass, CONNECTIVITY).state == STATE_OFF
