"""Quiet hours, limits and rights of messages."""

from typing import Any

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.gateway.models import Json
from custom_components.clawd.home import limits

from .harness import Home
from .message_calls import ANNOUNCE, ASK, NOTIFY, handle, new_call, use
from .speakers import Speaker, add_device, add_person, device_of

ALL_DAY = {"quiet_start": "00:00:00", "quiet_end": "00:00:00"}
pytestmark = pytest.mark.usefixtures("voice")


@pytest.fixture
def quiet(hass: HomeAssistant, new_entry: MockConfigEntry) -> None:
    """Let the whole day be quiet."""
    hass.config_entries.async_update_entry(new_entry, options=ALL_DAY)


@pytest.mark.usefixtures("quiet")
async def test_quiet_hours_hold(
    hass: HomeAssistant, home: Home, kitchen: Speaker, shown: dict[str, Any]
) -> None:
    for origin in (
        {},
        {"device_id": "gone"},
        {"device_id": add_device(hass, "Elsewhere")},
        {"device_id": add_device(hass, "Here", "Kitchen"), "person": False},
        {"device_id": add_device(hass, "There", "Hall")},
    ):
        for tool, text in ((ANNOUNCE, "message"), (ASK, "question")):
            told = await use(home, tool, origin=origin, **{text: "x"}, area="Kitchen")
            assert told.startswith("QUIET_HOURS: Not done: ")
            assert NOTIFY in told
    assert kitchen.said == kitchen.asked == []
    assert "notified" in await use(home, NOTIFY, message="x")
    assert len(shown) == 1


@pytest.mark.usefixtures("quiet")
async def test_quiet_area_speaks_to_who_asks_there_right_now(
    hass: HomeAssistant, home: Home, kitchen: Speaker
) -> None:
    here = {"device_id": add_device(hass, "Here", "Kitchen")}
    data = await use(home, ANNOUNCE, origin=here, message="x", area="Kitchen")
    assert data == {"announced": ["Oven"]}

    now = home.service.clock()
    with home.run(device_id=here["device_id"]):
        home.service.clock = lambda: now + 121
        call = new_call(ANNOUNCE, {"message": "x", "area": "Kitchen"})
        assert (await handle(home, call)).startswith("QUIET_HOURS: ")
    assert kitchen.said == ["x"]


@pytest.mark.usefixtures("kitchen")
async def test_messages_are_limited(home: Home) -> None:
    now = home.service.clock()
    home.service.clock = lambda: now
    arguments: dict[str, Json] = {"message": "x", "area": "Kitchen"}
    for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
        assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}
    told = await use(home, NOTIFY, message="x")
    assert told.startswith("TOO_MANY_CALLS: ")
    assert "at most 5 messages a minute" in told

    sent = limits.MAX_MESSAGES_OF_MINUTE
    while sent < limits.MAX_MESSAGES_OF_HOUR:
        now += 60
        for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
            assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}
            sent += 1
    now += 60
    assert "at most 30 messages an hour" in await use(home, ANNOUNCE, **arguments)
    assert home.service.messages.recent == limits.MAX_MESSAGES_OF_HOUR
    now += 3600
    assert await use(home, ANNOUNCE, **arguments) == {"announced": ["Oven"]}


async def test_user_without_the_right_to_a_device(
    hass: HomeAssistant, home: Home, kitchen: Speaker, shown: dict[str, Any]
) -> None:
    group = await hass.auth.async_get_group(GROUP_ID_READ_ONLY)
    assert group is not None
    user = MockUser(groups=[group]).add_to_hass(hass)
    guest = {"user_id": user.id}
    await add_person(hass, "Bob", "somebody")

    for tool, arguments in (
        (ANNOUNCE, {"message": "x", "area": "Kitchen"}),
        (ASK, {"question": "x", "area": "Kitchen"}),
        (NOTIFY, {"message": "x", "person": "Bob"}),
    ):
        told = await use(home, tool, origin=guest, **arguments)
        assert told.startswith("NOT_ALLOWED: The user who asked has no permission")
    assert "notified" in await use(home, NOTIFY, origin=guest, message="x")
    assert kitchen.said == kitchen.asked == []
    assert len(shown) == 1


async def test_voice_device_without_a_user_may_announce(
    hass: HomeAssistant, home: Home, kitchen: Speaker, hall: Speaker
) -> None:
    guest = {"user_id": None, "device_id": device_of(hass, hall)}
    data = await use(home, ANNOUNCE, origin=guest, message="x", area="Kitchen")
    assert data == {"announced": ["Oven"]}
    assert kitchen.said == ["x"]
