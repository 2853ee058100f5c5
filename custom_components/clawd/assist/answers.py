"""Matching of utterances to answers."""

from collections import Counter
import difflib
import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from .phrases import bare_phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..gateway import QuestionItem

# Of two words, by `difflib`: "kitchin" is the kitchen (0.86), "chicken" is not (0.71).
MIN_SIMILARITY: Final = 0.8
# Equal characters at their start: "anschalten" is not "ausschalten", "unlock" not
# "lock", nor is "Tuesday" a Thursday.
SAME_START: Final = 2
# Choices that are named at once; each is compared with all labels.
MAX_PARTS: Final = 64

# Whole utterances, in any case and without marks. They count only while a question is
# open, so those of all languages do.
_REFUSALS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        *("cancel", "cancel it", "cancel that", "cancel this"),
        *("never mind", "nevermind", "forget it", "forget about it"),
        *("skip it", "skip that", "skip"),
    ),
    "de": (
        *("abbrechen", "abbruch", "brich ab", "vergiss es", "vergiss das"),
        *("schon gut", "lass es", "lass gut sein", "lass mal", "überspringen"),
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
# By word, the number as digits.
_ORDINAL_WORDS: Final = {
    word: str(number) for number, words in enumerate(_ORDINALS, 1) for word in words
}
_NUMBER_WORDS: Final = {
    word: str(number) for number, words in enumerate(_NUMBERS, 1) for word in words
}
# "This one", "une lampe": these are no numbers in the words of a choice.
_ARTICLES: Final = frozenset(("one", "uno", "un", "une", "een", "één"))
_POSITION_WORDS: Final = frozenset(
    (
        *("option", "number", "answer", "choice", "nummer", "antwort"),
        *("opción", "número", "respuesta", "numéro", "réponse", "optie", "antwoord"),
    )
)
_FILLERS: Final = _POSITION_WORDS | frozenset(
    (
        *("the", "one", "please", "die", "der", "das", "den", "bitte"),
        *("la", "el", "lo", "le", "l", "de", "het"),
    )
)
# "t" is of "don't"; a recognizer may leave its apostrophe out.
_NEGATIONS: Final = frozenset(
    (
        *("not", "no", "t", "dont", "cannot", "never", "neither", "nor"),
        *("nicht", "kein", "keine", "keinen", "keins", "nein", "nie", "weder"),
        *("nunca", "ni", "non", "pas", "jamais", "niet", "geen", "nee", "nooit"),
    )
)
# In front of a choice only: "the kitchen, but only at night".
_EXCLUSIONS: Final = frozenset(
    (
        *("but", "except", "without", "besides", "ausser", "ohne"),
        *("sin", "menos", "excepto", "salvo", "sans", "sauf", "behalve", "zonder"),
    )
)
# "Kitchen (recommended)"
_ASIDE: Final = re.compile(r"\([^()]*\)|\uff08[^\uff08\uff09]*\uff09")
_SEPARATORS: Final = re.compile(r"[,;&+]|\b(?:and|und|y|et|en)\b", re.IGNORECASE)


def is_refusal(text: str) -> bool:
    """Return whether an utterance refuses to answer."""
    return bare_phrase(text) in _ALL_REFUSALS


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
    named = _find_contained(item, text)
    return named if len(named) == 1 or (named and item.multi_select) else None


def names_choice(item: QuestionItem, text: str) -> bool:
    """Return whether a text names a choice."""
    return _find_label(item, text) is not None


def _find_several(item: QuestionItem, text: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(text) if _words(part)]
    if len(parts) > MAX_PARTS:
        return []
    labels = [_find_label(item, part) for part in parts]
    found = [label for label in labels if label is not None]
    return list(dict.fromkeys(found)) if len(found) == len(parts) else []


def _find_label(item: QuestionItem, text: str) -> str | None:
    """Return the choice that a text names, also with words of courtesy."""
    found = _find_named(item, text)
    if found is None and (phrase := bare_phrase(text)):
        found = _find_named(item, phrase)
    return found


def _find_named(item: QuestionItem, text: str) -> str | None:
    words = _words(text).split()
    labels = [(_words(one.label).split(), one.label) for one in item.choices]
    if not words:
        # "👍" has none.
        return next((label for _, label in labels if label == text.strip()), None)
    said, names = _with_digits(words), _names(item)
    for name, label in names:
        if said == _with_digits(name.split()):
            return label
    if found := _find_numbered(words, labels):
        return found
    close = {label for name, label in names if _is_close(words, name.split())}
    return close.pop() if len(close) == 1 else None


def _names(item: QuestionItem) -> list[tuple[str, str]]:
    """Return the words by which choices are named, with their labels.

    With and without what is in parentheses.
    """
    labels = [one.label for one in item.choices]
    whole = [(_words(label), label) for label in labels]
    short = [(_words(_ASIDE.sub(" ", label)), label) for label in labels]
    names = [*dict.fromkeys((*whole, *short))]
    counts = Counter(name for name, _ in names)
    return [one for one in names if one in whole or counts[one[0]] == 1]


def _with_digits(words: Sequence[str]) -> list[str]:
    """Return words with numbers as digits."""
    return [
        word if word in _ARTICLES else _NUMBER_WORDS.get(word, word) for word in words
    ]


def _find_numbered(
    words: Sequence[str], labels: Sequence[tuple[Sequence[str], str]]
) -> str | None:
    """Return the choice of a number or ordinal.

    Of "the second one", "number 2" or "zwei": the one that has it in its words, as "2
    hours" has; if none has any, the one in this place.
    """
    for known in (_ORDINAL_WORDS, _NUMBER_WORDS):
        named = [word for word in words if _number(word, known)]
        if len(named) != 1 or {*words} - _FILLERS - {*named}:
            continue
        number = _number(named[0], known)
        numbers = [
            {_number(word, known) for word in label if word not in _ARTICLES} - {None}
            for label, _ in labels
        ]
        if any(numbers) and not _POSITION_WORDS & {*words}:
            found = [index for index, own in enumerate(numbers) if number in own]
        else:
            found = [i for i in range(len(labels)) if str(i + 1) == number]
        return labels[found[0]][1] if len(found) == 1 else None
    return None


def _number(word: str, known: Mapping[str, str]) -> str | None:
    """Return the number of a word as digits."""
    if word.isdecimal():
        return word if known is _NUMBER_WORDS else None
    return known.get(word)


def _is_close(words: Sequence[str], label: Sequence[str]) -> bool:
    """Return whether words are those of a choice, but for a slip.

    Each for itself: a single other word or digit may say the opposite.
    """
    if len(words) != len(label):
        if min(len(words), len(label)) != 1:
            return False
        # "livingroom"
        words, label = ["".join(words)], ["".join(label)]
    return all(
        one == other
        or (
            one.isalpha()
            and one[:SAME_START] == other[:SAME_START]
            and difflib.SequenceMatcher(None, one, other).ratio() >= MIN_SIMILARITY
        )
        for one, other in zip(words, label, strict=True)
    )


def _find_contained(item: QuestionItem, text: str) -> list[str]:
    """Return the choices in a sentence, unless one is denied."""
    named, rest = [], f" {_words(text)} "
    # "Not now" before "now".
    for name, label in sorted(_names(item), key=lambda one: -len(one[0])):
        words = f" {name} "
        if name and words in rest:
            named.append(label)
            rest = rest.replace(words, " | ")
    before = rest.rpartition("|")[0]
    denied = _NEGATIONS & {*rest.split()} | _EXCLUSIONS & {*before.split()}
    # "No, don't": the choice itself denies.
    if denied and not any(_NEGATIONS & {*_words(label).split()} for label in named):
        return []
    return [one.label for one in item.choices if one.label in named]


def _words(text: str) -> str:
    """Return the words of a text."""
    # An accent may be a character of its own, which is no letter.
    return " ".join(re.findall(r"\w+", normalize("NFKC", text).casefold()))
