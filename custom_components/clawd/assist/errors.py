"""Errors of asking an agent."""

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN, LOGGER
from ..gateway import Failure


def translated_error(key: str, **placeholders: str) -> HomeAssistantError:
    """Return an error with a translation key."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders or None,
    )


def log_unexpected(err: Exception) -> None:
    """Log an unexpected exception without its message.

    The message may be content.
    """
    text = Failure.from_exception(err).text
    LOGGER.error("Unexpected exception, without its message:\n%s", text)
