"""Announcements near speakers that are turned down to nothing."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver

from .announcing import kitchen, listener, new_device, notifications, texts, voice
from .voice_devices import Player, Satellite, add

pytestmark = pytest.mark.usefixtures("voice")
__all__ = ["kitchen", "listener", "notifications", "voice"]


@pytest.mark.parametrize("volume", [0.0, 0.01])
async def test_nothing_is_said_that_nobody_hears(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    satellite: str,
    notifications: dict[str, Any],
    volume: float,
) -> None:
    (await add(hass, Player("speaker"), satellite)).turn(volume)

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    said = ["It is done."] if volume else []
    assert kitchen.said == said
    assert texts(notifications) == ([] if volume else ["It is done."])
    expected = Delivery.ANNOUNCED if volume else Delivery.NOTIFICATION
    assert delivery is expected


async def test_another_player_of_the_area_says_it(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    satellite: str,
) -> None:
    own = await add(hass, Player("speaker"), satellite)
    off = await add(hass, Player("a"), new_device(hass, "a"))
    own.turn(0)
    off.turn(0)
    heard = await add(hass, Player("b"), new_device(hass, "b"))

    delivery = await async_deliver(hass, entry, listener, "It is done.")

    assert delivery is Delivery.MEDIA_PLAYER
    assert len(heard.played) == 1
    assert kitchen.said == own.played == off.played == []
