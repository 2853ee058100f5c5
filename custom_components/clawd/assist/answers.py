"""Matching of utterances to answers."""

import difflib
import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..gateway import QuestionItem

# Of `difflib`: "kitchin" is the kitchen (0.86), "chicken" is not (0.71).
MIN_SIMILARITY: Final = 0.8

# Whole utterances, in any case and without marks. They count only while a question is
# open, so those of all languages do.
_REFUSALS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        *("cancel", "cancel it", "cancel that", "never mind", "nevermind"),
        *("forget it", "forget about it", "skip it", "skip that", "skip"),
    ),
    "de": (
        *("abbrechen", "abbruch", "brich ab", "vergiss es", "schon gut"),
        *("lass es", "lass gut sein", "lass mal", "überspringen"),
    ),
    "es": ("cancela", "cancelar", "cancélalo", "olvídalo", "déjalo", "omitir"),
    "fr": ("annule", "annuler", "annule ça", "laisse tomber", "oublie", "passe"),
    "nl": ("annuleer", "annuleren", "laat maar", "vergeet het", "sla over"),
}
_ALL_REFUSALS: Final = frozenset(text for texts in _REFUSALS.values() for text in texts)
# OpenClaw's agents offer four choices at most.
_ORDINALS: Final = (
    (
        *("first", "erste", "ersten", "erster", "erstes", "eerste"),
        *("primera", "primero", "première", "premier"),
    ),
    (
        *("second", "zweite", "zweiten", "zweiter", "zweites", "tweede"),
        *("segunda", "segundo", "deuxième", "seconde"),
    ),
    (
        *("third", "dritte", "dritten", "dritter", "drittes", "derde"),
        *("tercera", "tercero", "troisième"),
    ),
    (
        *("fourth", "vierte", "vierten", "vierter", "viertes", "vierde"),
        *("cuarta", "cuarto", "quatrième"),
    ),
)
_NUMBERS: Final = (
    ("1", "one", "eins", "uno", "un", "une", "een", "één"),
    ("2", "two", "zwei", "dos", "deux", "twee"),
    ("3", "three", "drei", "tres", "trois", "drie"),
    ("4", "four", "vier", "cuatro", "quatre"),
)
_FILLERS: Final = frozenset(
    (
        *("the", "one", "option", "number", "answer", "choice", "please"),
        *("die", "der", "das", "den", "nummer", "antwort", "bitte"),
        *("la", "el", "lo", "opción", "número", "respuesta"),
        *("le", "l", "numéro", "réponse", "de", "het", "optie", "antwoord"),
    )
)
_NEGATIONS: Final = frozenset(
    ("not", "no", "nicht", "kein", "keine", "nein", "non", "pas", "niet", "geen", "nee")
)
_SEPARATORS: Final = re.compile(r"[,;&+]|\b(?:and|und|y|et|en)\b", re.IGNORECASE)


def is_refusal(text: str) -> bool:
    """Return whether an utterance refuses to answer."""
    return _words(text) in _ALL_REFUSALS


def find_answer(item: QuestionItem, text: str) -> list[str] | None:
    """Return the answer in an utterance, if any.

    Free text is passed on where it is accepted: the model knows better what it means.
    """
    if item.multi_select and (several := _find_several(item, text)):
        return several
    if (label := _find_label(item, text)) is not None:
        return [label]
    if item.is_free:
        return [text.strip()] if text.strip() else None
    label = _find_contained(item, text)
    return None if label is None else [label]


def names_choice(item: QuestionItem, text: str) -> bool:
    """Return whether a text names a choice."""
    return _find_label(item, text) is not None


def _find_several(item: QuestionItem, text: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(text) if _words(part)]
    labels = [_find_label(item, part) for part in parts]
    found = [label for label in labels if label is not None]
    return list(dict.fromkeys(found)) if len(found) == len(parts) else []


def _find_label(item: QuestionItem, text: str) -> str | None:
    bare = _words(text)
    labels = {_words(choice.label): choice.label for choice in item.choices}
    if bare in labels:
        return labels[bare]
    index = _index(bare.split())
    if index is not None and index < len(item.choices):
        return item.choices[index].label
    close = difflib.get_close_matches(bare, labels, n=1, cutoff=MIN_SIMILARITY)
    return labels[close[0]] if close else None


def _index(words: Sequence[str]) -> int | None:
    """Return the index of a number or ordinal.

    Of "the second one", "number 2" or "zwei".
    """
    for names in (_ORDINALS, _NUMBERS):
        for index, known in enumerate(names):
            named = [word for word in words if word in known]
            if len(named) == 1 and not {*words} - _FILLERS - {*named}:
                return index
    return None


def _find_contained(item: QuestionItem, text: str) -> str | None:
    """Return the only choice in a sentence."""
    bare = f" {_words(text)} "
    labels = [choice.label for choice in item.choices]
    named = [label for label in labels if f" {_words(label)} " in bare]
    if len(named) != 1:
        return None
    others = {*bare.split()} - {*_words(named[0]).split()}
    return None if _NEGATIONS & others else named[0]


def _words(text: str) -> str:
    """Return the words of a text."""
    # An accent may be a character of its own, which is no letter.
    return " ".join(re.findall(r"\w+", normalize("NFKC", text).casefold()))
