"""Notifications of agents and the Gateway."""

from dataclasses import replace
from typing import Any

from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.clawd.gateway import NodeCallError
from custom_components.clawd.gateway.models import Json
from custom_components.clawd.home import limits

from .harness import Home
from .message_calls import NOTIFY, from_elsewhere, new_call, use
from .speakers import add_person

pytestmark = pytest.mark.usefixtures("voice")


async def test_user_who_asked_is_notified(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    phone = await add_person(hass, "Ada", home.user, "Ada phone")
    assert phone is not None
    data = await use(home, NOTIFY, message="Dinner.\nNow.", title="Food")
    assert data == {"notified": "the user who asked", "by": "devices"}
    assert phone.shown == [("Food", "Dinner.\nNow.")]
    assert shown == {}


async def test_person_is_notified_by_name(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    user = MockUser(name="Bob").add_to_hass(hass)
    phone = await add_person(hass, "Bob", user.id, "Bob phone")
    await add_person(hass, "Guest", None)
    async_expose_entity(hass, "conversation", "person.guest", should_expose=True)

    data = await use(home, NOTIFY, message="x", person=" bob")
    nobody = await use(home, NOTIFY, message="x", person="Eve")
    guest = await use(home, NOTIFY, message="x", person="Guest")
    hass.states.async_set("person.bob_2", "home", {"friendly_name": "Bob"})
    several = await use(home, NOTIFY, message="x", person="Bob")
    async_expose_entity(hass, "conversation", "person.guest", should_expose=False)
    unknown = await use(home, NOTIFY, message="x", person="Eve")

    assert data == {"notified": "bob", "by": "devices"}
    assert phone is not None
    assert phone.shown == [(None, "x")]
    start = "INVALID_ARGUMENTS: No person has this name."
    assert nobody == f'{start} There are: "Guest".'
    assert unknown == start
    assert guest == "INVALID_ARGUMENTS: This person has no user in Home Assistant."
    assert several == "INVALID_ARGUMENTS: Several persons have this name."
    assert shown == {}


@pytest.mark.parametrize("name", ["Mum", " mum", "person.anna", "ANNA"])
async def test_person_is_found_by_each_name(
    hass: HomeAssistant, home: Home, name: str
) -> None:
    registry = er.async_get(hass)
    entry = registry.async_get_or_create(
        "person", "person", "1", suggested_object_id="anna"
    )
    registry.async_update_entity(entry.entity_id, aliases=["Mum"])
    user = MockUser(name="Anna").add_to_hass(hass)
    phone = await add_person(hass, "Anna", user.id, "Anna phone")
    assert phone is not None

    data = await use(home, NOTIFY, message="x", person=name)

    assert data["by"] == "devices"
    assert phone.shown == [(None, "x")]


async def test_without_a_user_the_administrators_are_notified(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    nobody = {"user_id": None}
    text = "x ![y](https://e.example/z.png)"
    data = await use(home, NOTIFY, origin=nobody, message=text, title="T")
    assert data == {
        "notified": "the administrators",
        "by": "a notification in Home Assistant",
    }
    [notification] = shown.values()
    assert notification["message"] == "x !\u2060[y](https://e.example/z.png)"

    ada = await add_person(hass, "Ada", home.user, "Ada phone")
    group = await hass.auth.async_get_group(GROUP_ID_USER)
    assert group is not None
    other = MockUser(groups=[group]).add_to_hass(hass)
    bob = await add_person(hass, "Bob", other.id, "Bob phone")
    data = await use(home, NOTIFY, origin=nobody, message="y")
    assert data == {"notified": "the administrators", "by": "devices"}
    assert ada is not None
    assert bob is not None
    assert (ada.shown, bob.shown) == ([(None, "y")], [])


@from_elsewhere
async def test_gateway_notifies_the_administrators(
    hass: HomeAssistant, home: Home, shown: dict[str, Any]
) -> None:
    phone = await add_person(hass, "Ada", home.user, "Ada phone")
    assert phone is not None

    for params in (
        {"title": "Dinner", "body": "is ready"},
        {"title": "Dinner", "priority": "timeSensitive", "delivery": "auto"},
        {"body": "is ready", "delivery": "overlay"},
        {"body": "again", "priority": "passive"},
    ):
        assert await notify(home, params) == "done"

    assert phone.shown == [("Dinner", "is ready"), (None, "Dinner")]
    assert [one["message"] for one in shown.values()] == ["is ready", "again"]
    assert [event.data["tool"] for event in home.events] == ["system.notify"] * 4
    assert home.events[0].data["outcome"] == "done"
    assert home.events[0].data["subentry_id"] is None


@from_elsewhere
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "The notification is empty."),
        ({"title": " ", "body": None}, "The notification is empty."),
        ({"title": 1}, "title is not a text."),
        ({"body": "x" * 1001}, "body is longer than 1000 characters."),
    ],
)
async def test_notification_of_the_gateway_that_is_not_valid(
    home: Home, shown: dict[str, Any], params: dict[str, Json], message: str
) -> None:
    assert await notify(home, params) == f"INVALID_PARAMS: {message}"
    assert shown == {}


@pytest.mark.parametrize(
    "home_settings",
    [
        {},
        {"from_elsewhere": "read"},
        {"home_access": "read", "from_elsewhere": "control"},
    ],
)
async def test_gateway_notifies_nobody_unless_allowed(
    home: Home, shown: dict[str, Any]
) -> None:
    told = await notify(home, {"title": "Dinner"})
    assert told.startswith("NOT_ALLOWED: Home Assistant shows no notifications")
    assert shown == {}


@from_elsewhere
async def test_notifications_of_the_gateway_are_limited(home: Home) -> None:
    for _ in range(limits.MAX_MESSAGES_OF_MINUTE):
        assert await notify(home, {"title": "Dinner"}) == "done"
    assert (await notify(home, {"title": "x"})).startswith("TOO_MANY_CALLS: ")


async def notify(home: Home, params: dict[str, Json]) -> str:
    """Notify as the Gateway and return the result."""
    call = replace(new_call(None, params, None), command="system.notify")
    try:
        await home.service.async_handle(call)
    except NodeCallError as err:
        return f"{err.code}: {err.message}"
    finally:
        await home.hass.async_block_till_done()
    return "done"
