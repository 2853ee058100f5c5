"""Texts of questions."""

from typing import TYPE_CHECKING

from ..home.announcements import async_shorten
from ..sentences import Sentence, async_get_sentence
from .reply import has_words
from .speech import speakable

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..gateway import QuestionChoice, QuestionItem


async def async_describe_question(
    hass: HomeAssistant,
    item: QuestionItem,
    language: str,
    *,
    spoken: bool,
    shortened: bool = False,
) -> str:
    """Return a question with its choices.

    In sentences, or in Markdown. `shortened` leaves out what would be spoken too long.
    """
    if not spoken:
        title = f"**{item.header}**\n\n" if item.header else ""
        choices = "".join(f"\n- {_describe(choice)}" for choice in item.choices)
        return f"{title}{item.text}\n{choices}".strip()
    text = speakable(item.text).strip()
    if shortened:
        text = await async_shorten(hass, text, language)
    labels = (speakable(choice.label).strip() for choice in item.choices)
    if not (spoken_labels := [*filter(has_words, labels)]):
        return text
    *others, last = spoken_labels
    options = last
    if others:
        options = await async_get_sentence(
            hass,
            language,
            Sentence.QUESTION_EITHER,
            options=", ".join(others),
            last=last,
        )
    key = Sentence.QUESTION_OPTIONS
    if item.multi_select:
        key = Sentence.QUESTION_OPTIONS_SEVERAL
    return f"{text} {await async_get_sentence(hass, language, key, options=options)}"


def _describe(choice: QuestionChoice) -> str:
    more = f": {choice.description}" if choice.description else ""
    return f"**{choice.label}**{more}"
