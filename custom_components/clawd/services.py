"""Actions of the integration."""

from typing import TYPE_CHECKING, Final

from homeassistant.helpers.importlib import async_import_module

from . import actions

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

ACTIONS: Final = (
    "answer",
    "ask",
    "cancel_task",
    "new_conversation",
    "self_test",
    "send_message",
    "start_task",
    "wake",
)


async def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    # They import components of Home Assistant, whose requirements are installed
    # after this module has been loaded.
    for action in ACTIONS:
        module = await async_import_module(hass, f"{actions.__name__}.{action}")
        module.async_register(hass)
