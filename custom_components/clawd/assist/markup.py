"""Conversion of inline markup to words."""

from html import unescape
from itertools import chain
import re
from typing import TYPE_CHECKING, Final
import unicodedata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_EMOJI: Final = (
    r"[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c"
    r"\u2b50\u2b55\ufe0f\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
_ARROW: Final = (
    r"[\u2190-\u21ff\u2794\u2798-\u27af\u27b1-\u27be\u27f0-\u27ff\u2900-\u297f"
    r"\u2b00-\u2b11\u2b30-\u2b4f]\ufe0f?"
)
BULLETS: Final = "•‣\u2043∙◦▪▫●○■□"
# Nothing is read twice: repetition is possessive, and a construct without an end is
# given up at the next start of one. Otherwise, thousands of starts in one line would
# take quadratic time, or more.
_CODE: Final = r"(?<!`)(?P<ticks>`++)(?:[^`\n]++|(?!(?P=ticks)(?!`))`++)++(?P=ticks)"
_MATH: Final = (
    r"\$\$.+?\$\$|\\\((?:[^\\\n]++|\\[^()\n])++\\\)|\\\[(?:[^\\\n]++|\\[^\[\]\n])++\\\]"
    # No prices: "$5 and $6".
    r"|\$(?=\S)(?=[^$\n]*[\\^_={}+*/<>-]|[A-Za-z]\w?\$)[^$\n]{1,300}?(?<=\S)\$(?!\d)"
)
_COMMENT: Final = r"<!--(?:[^<\n-]++|-(?!->)|<(?!!--))*+-->"
# "\[a](b)" is none, but "\\[a](b)".
_TEXT: Final = (
    r"(?<!(?<!\\)\\)"
    r"\[(?:[^\[\]\\\n]++|\\.|\[[^\[\]\n]*+\](?:\([^()\s]*+\))?+)*+\]"
)
_TARGET: Final = r"\((?:[^()\\\n]++|\\.|\([^()\n]*+\))*+\)"
_LINK: Final = rf"!?{_TEXT}{_TARGET}|(?<!\w)!?{_TEXT}\[[^\[\]\n]{{0,300}}\]"
# Colors of a terminal's output, and other characters without a glyph.
_CONTROL: Final = r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_BREAKS: Final = (
    "address|article|aside|blockquote|br|caption|center|col|dd|details|div|dl|dt"
    "|figcaption|figure|footer|form|h[1-6]|header|hr|img|li|main|nav|ol|option|p|pre"
    "|section|select|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_TAGS: Final = (
    "a|abbr|b|big|cite|code|del|dfn|em|font|i|ins|kbd|label|mark|q|rp|rt|ruby|s|samp"
    "|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_ATTRIBUTES: Final = r"(?:\s[^<>]{0,1000})?/?>"
_ADDRESS: Final = r"<(?:[a-z][a-z0-9+.-]{1,30}:[^\s<>]+|[^\s<>@/]+@[^\s<>@]+)>"
# From their first one only: a search from each of many would take quadratic time.
_BLANKS: Final = r"(?:(?<![ \t])[ \t]+)?"
_URL: Final = (
    r"(?<![^\W_])(?:[a-z][a-z0-9+.-]{1,30}://|www\.(?=\w)|mailto:(?=\w))"
    r"[^\s<>\"]*[^\s<>.,;:!?…。)\]\"'\u2019”*_`|]"
)

_INLINE: Final = re.compile(
    rf"""(?P<math>{_MATH})
    |(?P<escape>\\[!-/:-@\[-`{{-~])
    |(?P<code>{_CODE})
    |(?P<note>\[\^[^\]\s]{{1,100}}\])
    |(?P<alert>\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\])
    |(?P<link>{_LINK})
    |(?P<address>{_ADDRESS})
    |(?P<power><sup>[^<>]*</sup>)
    |(?P<breaks>(?:{_BLANKS}</?(?:{_BREAKS}){_ATTRIBUTES}[ \t]*)+)
    |(?P<nothing></?(?:{_TAGS}){_ATTRIBUTES}|{_COMMENT}|[\u00ad\u200b\u2060\ufeff]
        |{_CONTROL})
    |(?P<url>{_URL})
    |(?P<entity>&(?:\#\d{{1,7}}|\#x[0-9a-f]{{1,6}}|[a-z][a-z0-9]{{1,31}});)
    |(?P<join>(?:{_BLANKS}(?:{_ARROW}|[{BULLETS}]
        |(?<=[ \t])(?:<?[-=]{{1,2}}>|<-{{1,2}}|·)(?=[ \t]|\Z)))+[ \t]*)
    |(?P<drawing>{_BLANKS}[\u2500-\u259f]+[ \t]*)
    |(?P<emoji>{_BLANKS}(?:{_EMOJI}(?:\u200d?{_EMOJI})*
        |(?<![\w:]):[a-z][a-z0-9_+-]{{1,40}}:(?![\w:]))[ \t]*)
    |(?P<marks>\*+|_+|~+|==)
    |(?P<word>[^\W_]+)""",
    re.VERBOSE | re.IGNORECASE,
)

# Constructs that are whole, and the start of one that is not: once open, it stays so
# up to its end. The first assertion spares most characters the alternatives.
_WHOLE: Final = re.compile(
    rf"(?=[$\\`!\[<\x00-\x1f\x7f])(?:{_MATH}|{_CODE}|{_LINK}|{_TEXT}(?!\()"
    rf"|\\\[[^\[\]\\\n]*+\]|</?[a-z][^<>]*>|{_COMMENT}|{_CONTROL})",
    re.IGNORECASE,
)
_SPECIAL: Final = re.compile(r"[$\\`\[\]<]")
_OPEN_TARGET: Final = r"\]\((?:[^()\\]++|\\.|\([^()]*+\))*+(?:\([^()]*+|\\)?\Z"
_OPEN: Final = re.compile(
    rf"`|\[[^\]]*+\Z|{_OPEN_TARGET}|<[a-z/!][^<>]*+\Z|<!--|\\[(\[]|\$(?=[^\s\d$])",
    re.IGNORECASE,
)

_CELL_BORDER: Final = re.compile(r"(?<!\\)[|│┃║]")
_DELIMITERS: Final = re.compile(r"[|\s:-]*")

_LINK_TEXT: Final = re.compile(rf"!?\[((?:{_TEXT}|\\.|[^\]\\])*)\]")
_ADDRESS_PARTS: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:(?=[^/?#@\s:]*:)[^/?#@\s]*+@)?"
    r"(?P<host>\[[^\]\s]*\]|[^/?#:\s]*)(?::\d*)?(?P<path>[^?#\s]*)",
    re.IGNORECASE,
)

_POWERS: Final = str.maketrans("0123456789+-ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ")
_TEX: Final = (
    (re.compile(r"\\(?:begin|end)\{[^{}]*\}"), ""),
    (re.compile(r"\\(?:text|math|operatorname|mbox)[a-z]*\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"\1 / \2"),
    (re.compile(r"\\sqrt\s*\{([^{}]*)\}"), r"√\1"),
    (re.compile(r"\^\s*(?:\{\\circ\}|\\circ\b)"), "°"),
    (re.compile(r"_\s*(?:\{([^{}]*)\}|(\w))"), r"\1\2"),
    (re.compile(r"\\([%#&_{}$])"), r"\1"),
    (re.compile(r"\\[\\,;:! ]|\\q?quad\b|&|~"), " "),
    (re.compile(r"\\(?:left|right|[bB]ig+[lr]?|displaystyle|limits)\b"), ""),
)
_TEX_POWER: Final = re.compile(r"\^\s*(?:\{([^{}]*)\}|(\w))")
_TEX_NAME: Final = re.compile(r"\\([A-Za-z]+)")
_TEX_SYMBOLS: Final = {
    "approx": "≈",
    "cdot": "·",
    "circ": "°",
    "degree": "°",
    "div": "÷",
    "dots": "…",
    "ge": "≥",
    "geq": "≥",
    "infty": "∞",
    "int": "∫",
    "lambda": "λ",
    "Lambda": "Λ",
    "ldots": "…",
    "le": "≤",
    "leq": "≤",
    "mp": "∓",
    "ne": "≠",
    "neq": "≠",
    "partial": "∂",
    "pm": "±",
    "rightarrow": "→",
    "sum": "∑",
    "times": "\u00d7",
    "to": "→",
}


def closed_places(text: str, places: Iterable[int]) -> Iterator[int]:
    """Yield the places that are in no construct.

    In no link, tag, formula or code, whether it has an end or not. Only the text before
    a place counts. `places` are in order.
    """
    read, ordered = 0, iter(places)
    for place in ordered:
        if special := _SPECIAL.search(text, read, place):
            start = special.start()
            yield from _closed_places(text, start, chain([place], ordered))
            return
        read = place
        yield place


def _closed_places(text: str, read: int, places: Iterable[int]) -> Iterator[int]:
    """Yield closed places; read each part of the text once."""
    wholes = _WHOLE.finditer(text, read)
    whole = next(wholes, None)
    # The text before a place without wholes, from the first start that may be open.
    rest, closed_from = "", 0
    for place in places:
        if place < closed_from:
            continue
        while whole and whole.end() <= place:
            rest += text[read : whole.start()]
            read, whole = whole.end(), next(wholes, None)
        start = min(whole.start(), place) if whole else place
        rest += text[read:start]
        read = max(read, start)
        within = _WHOLE.sub("", text[start:place])
        found = _OPEN.search(rest + within)
        if found is None:
            # With what follows, its last character may be a start.
            rest = rest[-1:]
            yield place
        elif found.start() >= len(rest):
            # Text and target of a link are open by themselves.
            if whole and whole[0][0] not in "![":
                closed_from = whole.end()
        elif found.end() < len(rest + within):
            # Open up to the end of the text.
            return
        else:
            rest = rest[found.start() :]


def has_cells(text: str) -> bool:
    """Return whether a line is a table row."""
    return _CELL_BORDER.search(re.sub(_CODE, "", text)) is not None


def speak_row(row: str) -> str:
    """Return a table row, separated by commas."""
    if _DELIMITERS.fullmatch(row):
        return ""
    cells = (speak(cell.strip(), "\n") for cell in _CELL_BORDER.split(row))
    return ", ".join(" ".join(cell.split()) for cell in cells if cell)


def speak(text: str, before: str) -> str:
    """Convert a text to words.

    `before` is the character before it.
    """

    def replace(match: re.Match[str]) -> str:
        start, end = match.span()
        around = (text[start - 1] if start else before, text[end : end + 1])
        return _SPOKEN[match.lastgroup or ""](match[0], *around)

    return _INLINE.sub(replace, text)


def speak_math(tex: str) -> str:
    """Convert a formula to words."""
    for pattern, words in _TEX:
        tex = pattern.sub(words, tex)
    tex = _TEX_POWER.sub(lambda match: _power(match[1] or match[2] or ""), tex)
    tex = _TEX_NAME.sub(lambda match: _symbol(match[1]), tex)
    return " ".join(re.sub(r"[{}$]", "", tex).split())


def _speak_link(link: str) -> str:
    """Return the text of a link.

    Without one, its host.
    """
    brackets = _match(_LINK_TEXT, link)
    words = speak(brackets[1], " ").strip()
    if words or link[0] == "!":
        return words
    return _host(link[brackets.end() :].strip("()[] ").partition(" ")[0])


def _host(address: str) -> str:
    """Return host or file name of an address."""
    parts = _match(_ADDRESS_PARTS, address)
    host, path = parts["host"].strip("[]"), parts["path"]
    return host.removeprefix("www.") or path.rstrip("/").rpartition("/")[2]


def _power(text: str) -> str:
    raised = text.translate(_POWERS)
    return raised if not set(raised) & set(text) else f"^{text}"


def _symbol(name: str) -> str:
    """Return the symbol of a TeX command.

    Its name if there is none.
    """
    size = "SMALL" if name.islower() else "CAPITAL"
    try:
        letter = unicodedata.lookup(f"GREEK {size} LETTER {name.upper()}")
    except KeyError:
        letter = name
    return _TEX_SYMBOLS.get(name, letter)


def _speak_entity(entity: str) -> str:
    return unescape(entity).replace("\xa0", " ").strip("\xad\u200b\u2060\ufeff")


def _speak_formula(formula: str) -> str:
    return speak_math(formula.strip("$") if formula[0] == "$" else formula[2:-2])


def _break(_: str, before: str, after: str) -> str:
    return "\n" if before.strip() and after.strip() else ""


def _join(_: str, before: str, after: str) -> str:
    """Return the separator for a symbol.

    For an arrow or a bullet.
    """
    if not before.strip("([{\"'„“«\n") or not after.strip(".,;:!?)]}\n"):
        return ""
    return " " if before in ",;:.!? " else ", "


def _gap(token: str, before: str, after: str) -> str:
    """Return the space for a symbol."""
    if not before.strip() or not after.strip(".,;:!?)]}…"):
        return ""
    apart = token != token.strip() or (before.isalnum() and after.isalnum())
    return " " if apart else ""


def _speak_marks(marks: str, before: str, after: str) -> str:
    """Return marks that are not markup.

    As in 2 * 3.
    """
    around = before + (after or " ")
    apart, inside = around.isspace(), around.isalnum()
    match marks[0]:
        case "~":
            literal = len(marks) != 2  # noqa: PLR2004 - what strikes out
        case "_" | "=":
            literal = apart or inside
        case _:
            literal = apart or (inside and (len(marks) == 1 or around.isdecimal()))
    return marks if literal else ""


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.match(text)
    assert match  # noqa: S101 - the token has matched a pattern with this start
    return match


# Words of each token, with the characters around it.
_SPOKEN: Final[Mapping[str, Callable[[str, str, str], str]]] = {
    "math": lambda token, *_: _speak_formula(token),
    "escape": lambda token, *_: token[1],
    "code": lambda token, *_: token.strip("`").strip(),
    "note": lambda *_: "",
    "alert": lambda token, *_: f"{token[2:-1].capitalize()}:",
    "link": lambda token, *_: _speak_link(token),
    "address": lambda token, *_: _host(token[1:-1]),
    "power": lambda token, *_: _power(token[5:-6]),
    "breaks": _break,
    "nothing": lambda *_: "",
    "url": lambda token, *_: _host(token),
    "entity": lambda token, *_: _speak_entity(token),
    "join": _join,
    "drawing": _gap,
    "emoji": _gap,
    "marks": _speak_marks,
    "word": lambda token, *_: token,
}
