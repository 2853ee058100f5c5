"""Sentences in the listener's language."""

from enum import StrEnum
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


class Sentence(StrEnum):
    """Translation key of a sentence."""

    # Selectors have the only texts that are neither of an error nor of a form.
    HANDED_OFF = "handed_off"
    HANDOFF_FAILED = "handoff_failed"
    LATE_REPLY = "late_reply"
    NEW_CONVERSATION = "new_conversation"
    ONE_MOMENT = "one_moment"
    QUESTION_CLOSED = "question_closed"
    QUESTION_EITHER = "question_either"
    QUESTION_NOT_UNDERSTOOD = "question_not_understood"
    QUESTION_OPTIONS = "question_options"
    QUESTION_OPTIONS_SEVERAL = "question_options_several"
    STILL_WORKING = "still_working"
    STOPPED = "stopped"
    TAKES_LONGER = "takes_longer"


class LocalizedError(HomeAssistantError):
    """Error in a listener's language.

    Home Assistant shows and speaks the English text of any other.
    """

    def __init__(self, err: HomeAssistantError, text: str) -> None:
        """Initialize with the text of an error."""
        super().__init__(
            text,
            translation_domain=err.translation_domain,
            translation_key=err.translation_key,
            translation_placeholders=err.translation_placeholders,
        )


async def async_get_sentence(
    hass: HomeAssistant, language: str, sentence: Sentence, **placeholders: str
) -> str:
    """Return a translated sentence."""
    key = f"sentence.options.{sentence}"
    return await _async_get(hass, language, "selector", key, placeholders)


async def async_get_text(
    hass: HomeAssistant, language: str, key: str, **placeholders: str
) -> str:
    """Return the translated text of an error."""
    key = f"{key}.message"
    return await _async_get(hass, language, "exceptions", key, placeholders)


async def async_get_error_text(
    hass: HomeAssistant, language: str, err: HomeAssistantError
) -> str:
    """Return an error as a sentence."""
    if err.translation_domain != DOMAIN or err.translation_key is None:
        return str(err)
    placeholders = err.translation_placeholders or {}
    return await async_get_text(hass, language, err.translation_key, **placeholders)


async def async_localize_error(
    hass: HomeAssistant, language: str, err: HomeAssistantError
) -> LocalizedError:
    """Return an error with its text in a language."""
    text, english = await async_get_error_text(hass, language, err), str(err)
    # Home Assistant leaves out the final period.
    return LocalizedError(err, english if text.startswith(english) else text)


async def _async_get(
    hass: HomeAssistant,
    language: str,
    category: str,
    key: str,
    placeholders: dict[str, str],
) -> str:
    texts = await async_get_translations(
        hass, language.partition("-")[0], category, {DOMAIN}
    )
    return texts[f"component.{DOMAIN}.{category}.{key}"].format(**placeholders)
