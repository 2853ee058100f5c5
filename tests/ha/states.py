"""Waiting for states."""

import asyncio

from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

CONNECTION_STATE = "sensor.openclaw_gateway_connection_state"
CONNECTIVITY = "binary_sensor.openclaw_gateway_connectivity"
ACTIVITY = "event.main_activity"
AGENT = "conversation.main"
LAST_DISCONNECT = "sensor.openclaw_gateway_last_disconnect"
PROBLEM = "binary_sensor.openclaw_gateway_self_test_problem"
RUN_BUTTON = "button.openclaw_gateway_run_self_test"
SELF_TEST = "sensor.openclaw_gateway_self_test_result"
SELF_TEST_EVENT = "event.openclaw_gateway_self_test"


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that has one."""
    state = hass.states.get(entity_id)
    assert state
    return state


async def wait_for_state(hass: HomeAssistant, entity_id: str, state: str) -> None:
    """Wait until an entity has a state."""
    reached = asyncio.Event()

    @callback
    def compare(_: Event[EventStateChangedData] | None = None) -> None:
        present = hass.states.get(entity_id)
        if present and present.state == state:
            reached.set()

    unsubscribe = async_track_state_change_event(hass, entity_id, compare)
    compare()
    await reached.wait()
    unsubscribe()
