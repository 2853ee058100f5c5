"""Actions of the integration."""

from typing import TYPE_CHECKING

from homeassistant.core import callback

from .actions import self_test

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    self_test.async_register(hass)
