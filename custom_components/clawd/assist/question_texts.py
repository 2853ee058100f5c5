"""Texts of questions."""

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from ..home.announcements import async_shorten
from ..home.text import one_line
from ..sentences import Sentence, async_get_sentence, async_get_text
from .reply import has_words
from .speech import speakable

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from ..gateway import QuestionChoice, QuestionItem

# Characters to speak: of a choice in 6 s, and of all of them in half a minute. Nobody
# remembers more; OpenClaw's own labels have five words.
MAX_LABEL: Final = 80
MAX_LABELS: Final = 400


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
    whole = speakable(item.text).strip()
    if not has_words(whole) and has_words(header := speakable(item.header).strip()):
        whole = f"{header}?"
    text = whole
    if shortened:
        text = await async_shorten(hass, whole, language)
    labels = (speakable(choice.label).strip() for choice in item.choices)
    if not (all_labels := [*filter(has_words, labels)]):
        return text
    spoken_labels = _shorten(all_labels) if shortened else all_labels
    options = ", ".join(spoken_labels)
    if spoken_labels == all_labels and len(all_labels) > 1:
        options = await async_get_sentence(
            hass,
            language,
            Sentence.QUESTION_EITHER,
            options=", ".join(all_labels[:-1]),
            last=all_labels[-1],
        )
    key = Sentence.QUESTION_OPTIONS
    if item.multi_select:
        key = Sentence.QUESTION_OPTIONS_SEVERAL
    asked = f"{text} {await async_get_sentence(hass, language, key, options=options)}"
    if spoken_labels == all_labels or text != whole:
        # Nothing is left out, or the hint at the rest is there already.
        return asked
    return f"{asked} {await async_get_text(hass, language, 'rest_in_notification')}"


def _shorten(labels: list[str]) -> list[str]:
    """Return the first labels, shortened for listening."""
    short = [one_line(label, MAX_LABEL) for label in labels]
    sizes = accumulate(len(label) for label in short)
    return [
        label for label, size in zip(short, sizes, strict=True) if size <= MAX_LABELS
    ]


def _describe(choice: QuestionChoice) -> str:
    more = f": {choice.description}" if choice.description else ""
    return f"**{choice.label}**{more}"
