"""Detection of leftovers."""

from collections.abc import Callable

from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
import pytest

from custom_components.clawd.entity import async_create_devices
from custom_components.clawd.gateway.state import StateHistory

from .leftovers import leftovers

OURS = async_create_devices

type Inject = Callable[[HomeAssistant], Callable[[], object]]


def task(hass: HomeAssistant) -> Callable[[], object]:
    """Leave a task running."""
    work = StateHistory().changed()
    return hass.async_create_background_task(work, "left").cancel


def timer(hass: HomeAssistant) -> Callable[[], object]:
    """Leave a timer armed."""
    return async_call_later(hass, 60, HassJob(OURS))  # type: ignore[arg-type] # never due


def listener(hass: HomeAssistant) -> Callable[[], object]:
    """Leave a listener on the bus."""
    return hass.bus.async_listen("never", OURS)  # type: ignore[arg-type] # never called


def receiver(hass: HomeAssistant) -> Callable[[], object]:
    """Leave a receiver of a signal."""
    return async_dispatcher_connect(hass, "never", OURS)


@pytest.mark.parametrize("inject", [task, timer, listener, receiver])
async def test_it_is_seen_until_it_is_gone(hass: HomeAssistant, inject: Inject) -> None:
    clean_up = inject(hass)
    [left] = leftovers(hass)
    assert inject.__name__ in left
    clean_up()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert leftovers(hass) == []
