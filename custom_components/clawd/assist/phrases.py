"""Sentences that are said in place of an agent."""

from enum import StrEnum
from typing import TYPE_CHECKING

from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


class Phrase(StrEnum):
    """Sentence by its key in the translations, as an option of a selector."""

    # Selectors have the only texts that are neither of an error nor of a form.
    ONE_MOMENT = "one_moment"
    STILL_WORKING = "still_working"
    TAKES_LONGER = "takes_longer"


async def async_phrase(hass: HomeAssistant, language: str, phrase: Phrase) -> str:
    """Return a sentence in a language, or in English."""
    texts = await async_get_translations(
        hass, language.partition("-")[0], "selector", {DOMAIN}
    )
    return texts[f"component.{DOMAIN}.selector.spoken_phrase.options.{phrase}"]
