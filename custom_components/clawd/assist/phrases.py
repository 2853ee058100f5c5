"""Comparison of short utterances with phrases."""

from itertools import groupby
import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

# Without a meaning of their own, wherever they stand: "hör bitte auf".
_POLITE: Final = (
    *("please", "bitte", "por favor", "alsjeblieft", "alstublieft"),
    *("s'il te plaît", "s'il vous plaît"),
    *("thanks", "thank you", "danke", "danke schön", "vielen dank", "gracias"),
    *("merci", "bedankt", "dank je", "dank je wel", "dank u"),
)
# "OK, stop", "nein, halt". Where something was asked, they are a part of the answer.
_OPENINGS: Final = ("ok", "okay", "hey", "oh", "no", "nein", "nee", "non", "ach")
# "Stop that now", "brich das jetzt ab".
_NOW: Final = frozenset(("now", "jetzt", "ya", "maintenant", "nu"))
_MARKS: Final = re.compile(r"[^\w' -]+")


def _any_of(phrases: tuple[str, ...]) -> str:
    # "danke schön" before "danke".
    return "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))


_POLITE_WORDS: Final = re.compile(rf"(?<![\w'-])(?:{_any_of(_POLITE)})(?![\w'-])")
_OPENING_WORDS: Final = re.compile(rf"(?:(?:{_any_of(_OPENINGS)}) )+(?=.)")


def bare_phrase(text: str) -> str:
    """Return the words of a phrase.

    Without case, marks, polite words and repetitions.
    """
    # Some keyboards and recognizers write an accent as a character of its own.
    plain = normalize("NFKC", text).replace("\u2019", "'").casefold()
    plain = _POLITE_WORDS.sub(" ", " ".join(_MARKS.sub(" ", plain).split()))
    return _join(word.strip("'-") for word in plain.split())


def bare_command(phrase: str) -> str:
    """Return a bare phrase without words that lead up to it, or mean now."""
    opening = _OPENING_WORDS.match(phrase)
    command = phrase[opening.end() :] if opening else phrase
    return _join(word for word in command.split() if word not in _NOW)


def _join(words: Iterable[str]) -> str:
    """Join words without empty ones and repetitions."""
    return " ".join(word for word, _ in groupby(filter(None, words)))
