"""Detection of questions in replies."""

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
_SPANISH_MARK: Final = "¿"
_STOPS: Final = "!\uff01.…。\uff0e｡\u0589\u06d4\u0964\u0965\u1362\u104b\u17d4"
_ENDS: Final = f"{_MARKS}{_STOPS}"
_MARKUP: Final = "*_~\"'\u00b4"
# Brackets, quotes, spaces; emojis with their modifiers and joiners.
_CLOSING: Final = frozenset({"Pe", "Pf", "Pi", "Zs", "Zl", "Zp", "Cc", "Cf"})
_SYMBOLS: Final = frozenset({"So", "Sk", "Me"})

_CODE: Final = re.compile(r"(?:`|~~~)[ \t]*\Z")
_TARGET: Final = re.compile(r"\]\([^()\s]*\)\W*\Z")
_TAG: Final = re.compile(r"</?[a-z][a-z0-9]*[ \t/]*>\s*\Z")
# See https://e.example/search?
_ADDRESS: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]{1,30}://|www\.)[^\s<>\"'`*)\]\u0080-\U0010ffff]*\?"
    rf"[^\w{_MARKS}]*\Z"
)
# She asked: “Why?”
_QUOTES: Final = (
    '""',
    "''",
    "“”",
    "„“",
    "„”",
    "«»",
    "»«",
    "\u2039\u203a",
    "「」",
    "『』",
)
_QUOTED: Final = "|".join(f"{a}[^{a}{b}\n]{{1,500}}{b}" for a, b in _QUOTES)
_REPORTED: Final = re.compile(
    rf"(?<=\w)[ \xa0\u202f]?[:,\uff1a\uff0c][\s*_]*(?:{_QUOTED})[^\w{_MARKS}]*\Z"
)
# Rules, and definitions of links and notes: "---", "[1]: https://e.example/?".
_NO_SENTENCES: Final = re.compile(
    r"(?:(?:\A|\n)[ \t]*(?:(?:[-*_][ \t]*){3,}|\[\^?[^\]\n]+\]:[^\n]*))+\Z"
)
# :) ;-) :D <3 ^^
_EMOTICON: Final = re.compile(r"(?<=[\s?!.])(?:[:;=8][-']?[)(DPp3]|<3|\^_?\^)\Z")
# What may be answered, behind the question: "(ja/nein)", "[y/N]:", "[Yes] [No]".
_HINT: Final = re.compile(
    r"(?:[(\[\uff08【][^()\[\]\uff08\uff09【】\n]{1,80}[)\]\uff09】]:?[ \t]*)+\Z"
)
# Behind its mark: "Yes/no", "✅ / ❌", "- ja oder nein", "Red, green or blue".
_OR: Final = (
    "or|oder|ou|o|u|of|eller|tai|czy|nebo|alebo|ili|sau|veya|vai|või|ή|или|أو|یا|या"
    "|\u0430\u0431\u043e"
)
_OPTION: Final = r"[^\s,/?!.]{1,20}"
_ALTERNATIVES: Final = re.compile(
    rf"(?<=[{_MARKS};])[ \t]*[-:\u2013\u2014]?[ \t]*"
    rf"{_OPTION}(?:(?:[ \t]*/|,)[ \t]*{_OPTION}){{0,8}}"
    rf"(?:[ \t]*/[ \t]*|,?[ \t]+(?:{_OR})[ \t]+){_OPTION}[.!]?\Z",
    re.IGNORECASE,
)
# Choices behind the mark, or listed below the question: "a) left b) right", "1️⃣ Left".
_NUMBER: Final = r"(?:\d{1,2}(?:[.)]|\ufe0f?\u20e3)|[(\[]?[a-zA-Z\d]{1,2}[)\]])"
_LISTED: Final = re.compile(
    rf"(?<=[{_MARKS};])[ \t]+{_NUMBER}[^?\n]{{1,60}}[ \t]{_NUMBER}[^?\n]{{1,120}}\Z"
)
_BULLET: Final = (
    r"[-*+>•◦▪●○☐□\u2013\u2014]|[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?"
)
_CHOICES: Final = re.compile(
    rf"[ \t]*[:\uff1a]?(?:\n+[ \t]*(?:{_BULLET}|{_NUMBER})[ \t][^\n]*)+\Z"
)
# "Shall I? …", "(Shall I?)."
_BEHIND_MARK: Final = re.compile(
    rf"(?<=[{_MARKS}])[\s)\]\uff09」』»”\"'\u2019]*[.…。][\s.…。]*\Z"
)
_SENTENCE: Final = re.compile(rf"[^{re.escape(_ENDS)}\n]*[{re.escape(_ENDS)}]*\Z")
_GREEK: Final = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")

# Korean syllables that end in ㅂ: 습니까, 입니까, but not 하니까 (because); and in ㄴ:
# 한가요, 신가요, but not 가요 (goes).
_BIEUP: Final = "".join(map(chr, range(0xAC00 + 17, 0xD7A4, 28)))
_NIEUN: Final = "".join(map(chr, range(0xAC00 + 4, 0xD7A4, 28)))
# Questions without a mark. Japanese: ますか, でしょうか, のか, not 静か, どうか.
# Chinese: 吗, 可以么, 那你呢, 哪一个呢, not 什么, 正在关灯呢 (at it), 好的呢 (yes).
# Thai: ไหม, not ผ้าไหม (silk), หรือเปล่า, อะไร, with ครับ or คะ. Burmese: လား, လဲ.
# Lao: ບໍ.
_WHAT_CHINESE: Final = "哪|什么|什麼|谁|誰|怎|几|幾|多少|是不是|要不要|好不好|还是|還是"
_ANSWERS_CHINESE: Final = "正|在(?!哪)|[没沒]|[还還][没沒]|不(?!然)|好|是|对|對|可以|有"
_WHAT_THAI: Final = "อะไร|ไหน|เมื่อไร|เมื่อไหร่|ยังไง|อย่างไร|เท่าไร|เท่าไหร่|ใคร"
_PARTICLES: Final = re.compile(
    r"(?:(?:[すたるいの]|(?<!ど)う|(?<!な)ん)か(?:な|い|しら|ね)?"
    rf"|[吗嗎]|(?<![什怎那这這多要])[么麼]|(?:{_WHAT_CHINESE})[^都也]*呢"
    rf"|\A\W*+(?!{_ANSWERS_CHINESE}).{{1,4}}(?<![着著])呢"
    rf"|[{_BIEUP}]니까|까요|나요|시겠어요|[{_NIEUN}]가요"
    r"|(?:(?<!ผ้า)ไหม|มั้ย|หรือไม่|หรือเปล่า|หรือยัง"
    rf"|\A(?!.*ไม่).*(?:{_WHAT_THAI}))(?:ครับ|คะ|ค่ะ|นะ)*"
    r"|လား|လဲ|ບໍ)\Z",
    re.DOTALL,
)
# Words that start a question in Hindi, Urdu, Persian, Arabic and Hebrew.
_STARTS: Final = re.compile(r"\W*(?:क्या|کیا|آیا|هل|האם)\s")
# "Kapatayim mi", with or without dots.
_TURKISH: Final = re.compile(
    r"\sm[\u0131iuü](?:y[\u0131iuü][mz]|s[\u0131iuü]n(?:[\u0131iuü]z)?|d[\u0131iuü]r)?\Z",
    re.IGNORECASE,
)


def is_question(reply: str, language: str) -> bool:
    """Return whether a reply ends with a question."""
    text = _NO_SENTENCES.sub("", reply.rstrip()[-_MAX_LENGTH:]).rstrip()
    text = _TARGET.sub("]", _TAG.sub("", _EMOTICON.sub("", text)))
    if _CODE.search(text):
        return False
    text = _ADDRESS.sub("", text).rstrip()
    if _asks(text, language):
        return True
    # Emojis may be answers, too.
    bare = _strip(text, _SYMBOLS | {"Zs", "Cc", "Cf", "Pf", "Pi"})
    answers = (
        _CHOICES.search(text)
        or _HINT.search(bare)
        or _ALTERNATIVES.search(text)
        or _LISTED.search(bare)
    )
    return answers is not None and _asks(text[: answers.start()], language)


def _asks(text: str, language: str) -> bool:
    if _REPORTED.search(text):
        return False
    text = _strip(text, _SYMBOLS | _CLOSING)
    text = _BEHIND_MARK.sub("", text)
    sentence = _last_sentence(text)
    words = sentence.rstrip(_ENDS)
    if set(sentence[len(words) :]) & set(_MARKS) or _ARMENIAN_MARK in sentence:
        return True
    code = language.partition("-")[0]
    if sentence.endswith(";"):
        return code == "el" or bool(_GREEK.search(sentence))
    return bool(
        _SPANISH_MARK in sentence
        or _PARTICLES.search(words)
        or (code == "tr" and _TURKISH.search(words))
        or (_STARTS.match(sentence) and not set(sentence[len(words) :]) & {*"!\uff01"})
    )


def _last_sentence(text: str) -> str:
    match = _SENTENCE.search(text)
    return match[0] if match else ""


def _strip(text: str, categories: frozenset[str]) -> str:
    """Strip trailing markup and some categories."""
    end = len(text)
    while end and (
        text[end - 1] in _MARKUP
        or unicodedata.category(text[end - 1]) in categories
        or "\ufe00" <= text[end - 1] <= "\ufe0f"
    ):
        end -= 1
    return text[:end]
