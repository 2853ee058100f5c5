"""Notifications instead of announcements."""

from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.clawd.home.announcements import Delivery, Listener, async_deliver
from custom_components.clawd.home.notifications import async_notify_user

from .announcing import add_phone, listener, notifications, texts, voice

pytestmark = pytest.mark.usefixtures("voice")
__all__ = ["listener", "notifications", "voice"]


async def test_a_user_is_notified_on_all_own_phones_only(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    notifications: dict[str, Any],
    satellite: str,
) -> None:
    assert satellite
    ada, bob = MockUser(id="ada"), MockUser(id="bob")
    hers = await add_phone(hass, ada.id)
    his = await add_phone(hass, bob.id, "other")

    listener = Listener(user_id="ada")
    delivery = await async_deliver(hass, entry, listener, "Done.", title="Main")

    assert delivery is Delivery.NOTIFICATION
    assert (hers.shown, his.shown) == ([("Main", "Done.")], [])
    assert notifications == {}


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("command_screen_on", '"command_screen_on"'),
        (" Command_Webview\n", '" Command_Webview\n"'),
        ("TTS", '"TTS"'),
        ("clear_notification", '"clear_notification"'),
        ("request_location_update", '"request_location_update"'),
        ("Show_camera", '"Show_camera"'),
        ("TTS is a shorthand.", "TTS is a shorthand."),
    ],
)
async def test_a_message_is_no_command_to_a_phone(
    hass: HomeAssistant, satellite: str, message: str, shown: str
) -> None:
    assert satellite
    phone = await add_phone(hass, "ada")
    await async_notify_user(hass, "ada", message)
    assert [text for _, text in phone.shown] == [shown]


async def test_a_message_shows_links_and_no_pictures_in_home_assistant(
    hass: HomeAssistant, entry: MockConfigEntry, notifications: dict[str, Any]
) -> None:
    message = (
        "See ![this](https://e.example/?x=1), !![this](https://e.example/?x=2), "
        '<img src="https://e.example/?x=3">, ![a][b] and [that](https://e.example).'
    )
    await async_deliver(hass, entry, Listener(), message)
    safe = message.replace("![", "!\u2060[").replace("<", "<\u2060")
    assert texts(notifications) == [safe]


@pytest.mark.parametrize("reason", ["unavailable", "failing", "no phone"])
async def test_a_user_who_cannot_be_notified_sees_it_in_home_assistant(
    hass: HomeAssistant, satellite: str, notifications: dict[str, Any], reason: str
) -> None:
    assert satellite
    if reason != "no phone":
        error = OSError("lost") if reason == "failing" else None
        phone = await add_phone(hass, "ada", error=error)
        if reason == "unavailable":
            hass.states.async_set(phone.entity_id, "unavailable")

    await async_notify_user(hass, "ada", "Done.")

    assert texts(notifications) == ["Done."]


async def test_a_person_with_a_tracker_without_a_device(
    hass: HomeAssistant, notifications: dict[str, Any]
) -> None:
    er.async_get(hass).async_get_or_create("device_tracker", "test", "router")
    trackers = ["device_tracker.test_router", "device_tracker.gone"]
    hass.states.async_set(
        "person.ada", "home", {"user_id": "ada", "device_trackers": trackers}
    )

    await async_notify_user(hass, "ada", "Done.")

    assert texts(notifications) == ["Done."]


@pytest.mark.parametrize("known", [True, False])
async def test_a_phone_without_an_entity_is_notified_by_its_action(
    hass: HomeAssistant, satellite: str, notifications: dict[str, Any], *, known: bool
) -> None:
    assert satellite
    phone = await add_phone(hass, "ada")
    registry = er.async_get(hass)
    device = registry.entities[phone.entity_id].device_id
    assert device
    registry.async_remove(phone.entity_id)
    calls: list[ServiceCall] = []
    hass.services.async_register("notify", "mobile_app_ada", calls.append)
    hass.config.components.add("mobile_app")
    found = dr.async_get(hass).async_get(device)
    targets = {"mobile_app_ada": "hook"} if known else {}
    service = type("Service", (), {"registered_targets": targets})()
    hass.data["mobile_app"] = {"devices": {"hook": found}, "notify": service}

    await async_notify_user(hass, "ada", "Done.", "Main")
    hass.config.components.remove("mobile_app")

    sent = [dict(call.data) for call in calls]
    assert sent == ([{"message": "Done.", "title": "Main"}] if known else [])
    assert texts(notifications) == ([] if known else ["Done."])
