"""Translated errors of asking an agent."""

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN


def translated_error(key: str, **placeholders: str) -> HomeAssistantError:
    """Return an error with the text of a key."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders or None,
    )
