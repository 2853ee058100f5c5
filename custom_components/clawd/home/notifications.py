"""Notifications to a user."""

from typing import TYPE_CHECKING, Final

from homeassistant.components import persistent_notification
from homeassistant.components.notify import (
    ATTR_MESSAGE,
    ATTR_TITLE,
    DOMAIN as NOTIFY,
    SERVICE_SEND_MESSAGE,
)
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import LOGGER

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSON: Final = "person"
MOBILE_APP: Final = "mobile_app"
# Unseen, and no space.
_JOINER: Final = "\u2060"
# Messages that Home Assistant's apps carry out instead of showing them, from their
# sources of August 2026 (Android: MessagingManager, iOS: NotificationParserLegacy).
COMMAND_PREFIX: Final = "command_"
COMMANDS: Final = frozenset(
    {
        "clear_badge",
        "clear_notification",
        "delete_alert",
        "hide_camera",
        "remove_channel",
        "request_location_update",
        "request_location_updates",
        "show_camera",
        "tts",
        "update_complications",
        "update_widgets",
    }
)


async def async_notify_user(
    hass: HomeAssistant,
    user_id: str | None,
    message: str,
    title: str | None = None,
    media: str = "",
) -> None:
    """Notify a user's devices.

    Without any, everybody who opens Home Assistant. `media` is Markdown of ours, below
    the message.
    """
    below = f"\n\n{media}" if media else ""
    titled = {} if title is None else {ATTR_TITLE: title}
    reached = False
    for action, target in find_notify_actions(hass, user_id):
        data = {ATTR_MESSAGE: _as_text(message) + below, **titled, **target}
        try:
            await hass.services.async_call(NOTIFY, action, data, blocking=True)
        except Exception as err:  # noqa: BLE001 - an integration may raise anything
            LOGGER.debug("A notification failed: %s", type(err).__name__)
        else:
            reached = True
    if not reached:
        text = _without_pictures(message)
        persistent_notification.async_create(hass, text + below, title)


def _as_text(message: str) -> str:
    """Quote a message that is a command."""
    word = message.strip().casefold()
    if word in COMMANDS or word.startswith(COMMAND_PREFIX):
        return f'"{message}"'
    return message


def _without_pictures(message: str) -> str:
    """Return Markdown in which Home Assistant finds no picture, also none in HTML.

    One would be fetched from anywhere, by an address that may tell what was read.
    """
    return message.replace("![", f"!{_JOINER}[").replace("<", f"<{_JOINER}")


@callback
def find_notify_actions(
    hass: HomeAssistant, user_id: str | None
) -> tuple[tuple[str, dict[str, str]], ...]:
    """Return the notify actions of a user's devices.

    With their targets.
    """
    found = []
    for device_id in dict.fromkeys(_user_devices(hass, user_id)):
        entries = er.async_entries_for_device(er.async_get(hass), device_id)
        entities = [
            entry.entity_id
            for entry in entries
            if entry.domain == NOTIFY
            and (state := hass.states.get(entry.entity_id))
            and state.state != STATE_UNAVAILABLE
        ]
        found += [(SERVICE_SEND_MESSAGE, {ATTR_ENTITY_ID: one}) for one in entities]
        # Home Assistant's app has notify entities only since 2026.
        if not entities and (action := _legacy_action(hass, device_id)):
            found.append((action, {}))
    return tuple(found)


def _user_devices(hass: HomeAssistant, user_id: str | None) -> Iterator[str]:
    """Yield the tracked devices of a user."""
    if user_id is None:
        return
    registry = er.async_get(hass)
    for person in hass.states.async_all(PERSON):
        if person.attributes.get("user_id") == user_id:
            for tracker in person.attributes.get("device_trackers", ()):
                entry = registry.async_get(tracker)
                if entry and entry.device_id:
                    yield entry.device_id


def _legacy_action(hass: HomeAssistant, device_id: str) -> str | None:
    """Return the legacy notify action of a device."""
    device = dr.async_get(hass).async_get(device_id)
    if device is None or MOBILE_APP not in hass.config.components:
        return None
    # Its requirements are installed only where it is set up.
    from homeassistant.components.mobile_app.util import (  # noqa: PLC0415
        get_notify_service,
        webhook_id_from_device_id,
    )

    webhook_id = webhook_id_from_device_id(hass, device_id)
    return get_notify_service(hass, webhook_id) if webhook_id else None
