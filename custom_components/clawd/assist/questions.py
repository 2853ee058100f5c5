"""Questions at the end of a reply, which keep the microphone open."""

# Home Assistant's chat log looks for three marks at the very end, one of them `;`,
# which is a question mark in Greek only.

import re
from typing import Final
import unicodedata

_MAX_LENGTH: Final = 1000
# Latin, Arabic, Greek, Ethiopic, Vai, Bamum and Chakma; full-width, small, vertical,
# inverted and combined forms.
_MARKS: Final = "?؟\u037e፧꘏꛷𑅃\uff1f﹖︖⸮‽⁇⁈⁉"
_ARMENIAN_MARK: Final = "՞"
_ENDS: Final = f"{_MARKS}!\uff01.…。\uff0e｡\u0589"
_MARKUP: Final = "*_~\"'\u00b4"
# Brackets, quotes, spaces; emojis with their modifiers and joiners.
_CLOSING: Final = frozenset({"Pe", "Pf", "Pi", "Zs", "Zl", "Zp", "Cc", "Cf"})
_SYMBOLS: Final = frozenset({"So", "Sk", "Me"})

_CODE: Final = re.compile(r"(?:`|~~~)[ \t]*\Z")
_TARGET: Final = re.compile(r"\]\([^()\s]*\)\W*\Z")
_TAG: Final = re.compile(r"</?[a-z][a-z0-9]*[ \t/]*>\s*\Z")
# Rules, and definitions of links and notes: "---", "[1]: https://e.example/?".
_NO_SENTENCES: Final = re.compile(
    r"(?:(?:\A|\n)[ \t]*(?:(?:[-*_][ \t]*){3,}|\[\^?[^\]\n]+\]:[^\n]*))+\Z"
)
# :) ;-) :D <3 ^^
_EMOTICON: Final = re.compile(r"(?<=[\s?!.])(?:[:;=8][-']?[)(DPp3]|<3|\^_?\^)\Z")
# "(ja/nein)", "[y/N]", "[y/N]:": what may be answered.
_HINT: Final = re.compile(
    r"[(\[\uff08【][^()\[\]\uff08\uff09【】\n]{1,80}[)\]\uff09】]:?\Z"
)
# Choices, listed below the question.
_CHOICES: Final = re.compile(
    r"(?:\n+[ \t]*(?:[-*+•]|\d{1,2}[.)]|[a-zA-Z]\))[ \t][^\n]*)+\Z"
)
_SENTENCE: Final = re.compile(rf"[^{re.escape(_ENDS)}\n]*[{re.escape(_ENDS)}]*\Z")
_GREEK: Final = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")

# Korean syllables that end in ㅂ: 습니까, 입니까, but not 하니까 (because).
_BIEUP: Final = "".join(map(chr, range(0xAC00 + 17, 0xD7A4, 28)))
# Questions without a mark. Japanese: ますか, でしょうか, のか, not 静か, どうか.
# Chinese: 吗. Thai: ไหม, หรือเปล่า, with ครับ or คะ.
_PARTICLES: Final = re.compile(
    r"(?:(?:[すたるいの]|(?<!ど)う|(?<!な)ん)か(?:な|い|しら|ね)?"
    rf"|[吗嗎]|[{_BIEUP}]니까|까요|나요|[인한은는던]가요"
    r"|(?:ไหม|มั้ย|หรือไม่|หรือเปล่า|หรือยัง)(?:ครับ|คะ|ค่ะ|นะ)*)\Z"
)


def is_question(reply: str, language: str) -> bool:
    """Return whether the last sentence of a reply is a question."""
    text = _NO_SENTENCES.sub("", reply.rstrip()[-_MAX_LENGTH:]).rstrip()
    text = _TARGET.sub("]", _TAG.sub("", _EMOTICON.sub("", text)))
    if _CODE.search(text):
        return False
    if _asks(text, language):
        return True
    text = _strip(text, _SYMBOLS | {"Zs", "Cc", "Cf", "Pf", "Pi"})
    answers = _HINT.search(text) or _CHOICES.search(text)
    return answers is not None and _asks(text[: answers.start()], language)


def _asks(text: str, language: str) -> bool:
    text = _strip(text, _SYMBOLS | _CLOSING)
    sentence = _last_sentence(text)
    words = sentence.rstrip(_ENDS)
    if set(sentence[len(words) :]) & set(_MARKS) or _ARMENIAN_MARK in sentence:
        return True
    if sentence.endswith(";"):
        return language.partition("-")[0] == "el" or bool(_GREEK.search(sentence))
    return _PARTICLES.search(words) is not None


def _last_sentence(text: str) -> str:
    match = _SENTENCE.search(text)
    return match[0] if match else ""


def _strip(text: str, categories: frozenset[str]) -> str:
    """Strip markup and characters of some categories from the end."""
    end = len(text)
    while end and (
        text[end - 1] in _MARKUP
        or unicodedata.category(text[end - 1]) in categories
        or "\ufe00" <= text[end - 1] <= "\ufe0f"
    ):
        end -= 1
    return text[:end]
