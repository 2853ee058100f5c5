"""Sentences that are said in the language of the listener."""

from enum import StrEnum
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from .reply import has_words

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from .chat_log import ReplyStream


class Sentence(StrEnum):
    """Sentence of the integration by its key in the translations."""

    HANDED_OFF = "handed_off"
    HANDOFF_FAILED = "handoff_failed"
    LATE_REPLY = "late_reply"
    STOPPED = "stopped"
    QUESTION_EITHER = "question_either"
    QUESTION_OPTIONS = "question_options"
    QUESTION_OPTIONS_SEVERAL = "question_options_several"
    QUESTION_NOT_UNDERSTOOD = "question_not_understood"
    QUESTION_CLOSED = "question_closed"


async def async_get_sentence(
    hass: HomeAssistant, language: str, sentence: Sentence, **placeholders: str
) -> str:
    """Return a sentence in a language, or in English."""
    texts = await async_get_translations(
        hass, language.partition("-")[0], "selector", {DOMAIN}
    )
    key = f"component.{DOMAIN}.selector.sentence.options.{sentence}"
    return texts[key].format(**placeholders)


async def async_get_text(
    hass: HomeAssistant, language: str, key: str, **placeholders: str
) -> str:
    """Return the text of an error in a language, or in English."""
    texts = await async_get_translations(
        hass, language.partition("-")[0], "exceptions", {DOMAIN}
    )
    return texts[f"component.{DOMAIN}.exceptions.{key}.message"].format(**placeholders)


async def async_get_error_text(
    hass: HomeAssistant, language: str, err: HomeAssistantError
) -> str:
    """Return an error as it is told."""
    if err.translation_domain != DOMAIN or err.translation_key is None:
        return str(err)
    placeholders = err.translation_placeholders or {}
    return await async_get_text(hass, language, err.translation_key, **placeholders)


async def async_get_words(
    hass: HomeAssistant, language: str, reply: ReplyStream
) -> str:
    """Return what is said, whatever the agent replied.

    Raises:
        HomeAssistantError: there is nothing to say.

    """
    if has_words(reply.shown):
        return reply.shown
    if reply.silent:
        # NO_REPLY, as to a poll; but a person has asked.
        return await async_get_text(hass, language, "nothing_to_add")
    raise HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="unspeakable_reply" if reply.text else "empty_reply",
    )
