"""Length and quiet hours of announcements."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver
from custom_components.clawd.home.quiet_hours import is_quiet

from .announcing import kitchen, listener, notifications, texts, voice
from .voice_devices import Satellite

pytestmark = pytest.mark.usefixtures("voice")
__all__ = ["kitchen", "listener", "notifications", "voice"]


async def test_a_long_message_is_spoken_in_part_and_shown_whole(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    satellite: str,
    notifications: dict[str, Any],
) -> None:
    message = "Das ist ein Satz. " * 222
    listener = Listener(device_id=satellite, language="de-DE")

    delivery = await async_deliver(hass, entry, listener, message, question=True)

    # The question itself is not spoken, so nobody is to answer.
    assert delivery is Delivery.ANNOUNCED
    [said] = kitchen.said
    rest = " Den Rest findest du in einer Benachrichtigung."
    assert said == "Das ist ein Satz. " * 43 + "Das ist ein Satz." + rest
    assert texts(notifications) == [message]


@pytest.mark.parametrize(
    ("message", "spoken"),
    [("word " * 800, ("word " * 160).rstrip()), ("x" * 4000, "x" * 800)],
)
async def test_a_long_message_without_sentences_is_cut(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    message: str,
    spoken: str,
) -> None:
    await async_deliver(hass, entry, listener, message)

    assert kitchen.said == [f"{spoken} The rest is in a notification."]


@pytest.mark.parametrize(
    ("start", "end", "now", "quiet"),
    [
        ("22:00:00", "07:00:00", "2026-06-01T21:59:59+03:00", False),
        ("22:00:00", "07:00:00", "2026-06-01T22:00:00+03:00", True),
        ("22:00:00", "07:00:00", "2026-06-02T06:59:59+03:00", True),
        ("22:00:00", "07:00:00", "2026-06-02T07:00:00+03:00", False),
        ("13:00:00", "15:00:00", "2026-06-01T13:00:00+03:00", True),
        ("13:00:00", "15:00:00", "2026-06-01T12:59:59+03:00", False),
        ("13:00:00", "15:00:00", "2026-06-01T15:00:00+03:00", False),
        # The night in which the clock goes back: from 4 to 3, an hour twice.
        ("22:00:00", "03:30:00", "2026-10-25T03:29:00+03:00", True),
        ("22:00:00", "03:30:00", "2026-10-25T03:40:00+03:00", False),
        ("22:00:00", "03:30:00", "2026-10-25T03:29:00+02:00", True),
        # And forward: from 3 to 4.
        ("22:00:00", "03:30:00", "2026-03-29T02:59:00+02:00", True),
        ("22:00:00", "03:30:00", "2026-03-29T04:00:00+03:00", False),
        (None, "07:00:00", "2026-06-02T06:00:00+03:00", False),
        ("22:00:00", "soon", "2026-06-02T06:00:00+03:00", False),
    ],
)
async def test_quiet_hours_follow_the_clock_on_the_wall(  # noqa: PLR0913
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    start: str | None,
    end: str,
    now: str,
    *,
    quiet: bool,
) -> None:
    await hass.config.async_set_time_zone("Europe/Helsinki")
    options = {"quiet_start": start, "quiet_end": end}
    entry = MockConfigEntry(domain="clawd", options=options)
    freezer.move_to(datetime.fromisoformat(now).astimezone(UTC))

    assert is_quiet(hass, entry) is quiet


@pytest.fixture
async def quiet(
    hass: HomeAssistant, entry: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> AsyncGenerator[None]:
    """Have quiet hours at noon."""
    await hass.config.async_set_time_zone("UTC")
    options = {"quiet_start": "11:00:00", "quiet_end": "13:00:00"}
    with patch.dict(entry.__dict__, {"options": options}):
        freezer.move_to(datetime(2026, 6, 1, 12, tzinfo=UTC))
        yield


async def test_quiet_hours_turn_an_announcement_into_a_notification(  # noqa: PLR0913, PLR0917
    hass: HomeAssistant,
    entry: MockConfigEntry,
    kitchen: Satellite,
    listener: Listener,
    quiet: None,
    notifications: dict[str, Any],
) -> None:
    assert quiet is None
    delivery = await async_deliver(hass, entry, listener, "Done.", question=True)

    assert delivery is Delivery.NOTIFICATION
    assert (kitchen.said, texts(notifications)) == ([], ["Done."])
