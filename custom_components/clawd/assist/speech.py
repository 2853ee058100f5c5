"""Replies without Markdown, for speech."""

import re
from typing import Final

_EMOJI: Final = (
    r"[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c"
    r"\u2b50\u2b55\ufe0f\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
_JOINER: Final = "\u200d"
_URL: Final = r"<?(?:https?://|www\.)[^\s<>]"
_LINK_TEXT: Final = r"!?\[[^\[\]\n]{0,300}"
_LINK_TARGET: Final = r"\((?:[^()\n]|\([^()\n]{0,300}\)){0,2000}"

# Markup at the start of a line, and each text that may become such markup.
_LINE: Final = re.compile(
    r"""(?P<fence>`{3,}[^`\n]*(?:\n|\Z)|~{3,}[^\n]*(?:\n|\Z))
    |(?P<rule>(?:-{3,}|\*{3,}|_{3,})[ \t]*(?:\n|\Z))
    |(?P<mark>\#{1,6}[ \t]+|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?)
    |(?P<quote>>[ \t]?)
    |(?P<row>\|[^\n]*(?:\n|\Z))""",
    re.VERBOSE,
)
_LINE_PREFIX: Final = re.compile(
    r"""`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*
    |\#{1,6}[ \t]*|(?:-+|\*+|_+|\+)[ \t]*
    |[-*+][ \t]+\[(?:[ xX](?:\][ \t]*)?)?
    |>|\|[^\n]*""",
    re.VERBOSE,
)
# Markup anywhere, and each text that may become such markup.
_INLINE: Final = re.compile(
    rf"""(?P<escape>\\[!-/:-@\[-`{{-~])
    |(?P<marks>\*+|_+|~+|`+)
    |(?P<link>{_LINK_TEXT}\]{_LINK_TARGET}\))
    |(?P<url>{_URL}*[^\s<>.,;:!?)\]"'*_]>?)
    |(?P<emoji>{_EMOJI})
    |(?P<word>[^\W_]+|.)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_INLINE_PREFIX: Final = re.compile(
    rf"""\\|\*+|_+|~+|`+|!|<|{_URL}*
    |{_LINK_TEXT}(?:\](?:{_LINK_TARGET}(?:\([^()\n]{{0,300}})?)?)?
    |<?(?:h|ht|http?|https?:?|https?:/|https?://|w{{1,3}}|www\.)""",
    re.VERBOSE | re.IGNORECASE,
)
_CODE_LINE: Final = re.compile(r"[^\n]*(?:\n|\Z)")
_WORD: Final = re.compile(r"(?P<word>[^\W_]+)")
_SEPARATOR: Final = re.compile(r"[|\s:-]*")
_CELL_BORDER: Final = re.compile(r"(?<!\\)\|")


class SpeechText:
    """Reply, cleaned as it arrives; the same for any chunking.

    Text that may become markup is held back until the next chunk decides.
    """

    def __init__(self) -> None:
        """Initialize without text."""
        self._held = ""
        self._previous = "\n"
        self._line_start = True
        self._fence = ""
        self._gap = False

    def feed(self, text: str) -> str:
        """Add a chunk; return the text that can be spoken."""
        return self._read(self._held + text, final=False)

    def finish(self) -> str:
        """Return the text that was held back."""
        return self._read(self._held, final=True)

    def _read(self, text: str, *, final: bool) -> str:
        spoken, at = [], 0
        while at < len(text):
            if not final and self._undecided(text, at):
                break
            match = self._match(text, at)
            spoken.append(self._speak(match))
            self._previous = text[match.end() - 1]
            at = match.end()
        self._held = text[at:]
        return "".join(spoken)

    def _undecided(self, text: str, at: int) -> bool:
        """Return whether the next chunk decides about the rest."""
        if self._fence:
            return "\n" not in text[at:]
        if self._line_start and _LINE_PREFIX.fullmatch(text, at):
            return True
        if self._previous.isalnum() and _WORD.match(text, at):
            return False
        return _INLINE_PREFIX.fullmatch(text, at) is not None

    def _match(self, text: str, at: int) -> re.Match[str]:
        match = None
        if self._fence:
            match = _CODE_LINE.match(text, at)
        elif self._line_start:
            match = _LINE.match(text, at)
        elif self._previous.isalnum():
            match = _WORD.match(text, at)
        match = match or _INLINE.match(text, at)
        assert match  # noqa: S101 - any character matches
        return match

    def _speak(self, match: re.Match[str]) -> str:
        """Return the spoken text of a token, and update the state."""
        text, kind = match.group(), match.lastgroup
        if self._fence:
            line = text.strip()
            if line.startswith(self._fence) and not line.strip(self._fence[0]):
                self._fence = ""
            return ""
        self._line_start = (
            text.endswith("\n")
            or kind == "quote"
            or (self._line_start and text.isspace())
        )
        if kind == "fence":
            self._fence = text[:3]
        if kind in {"url", "emoji"}:
            self._gap = self._gap or self._previous.isspace()
        return self._spoken(match)

    def _spoken(self, match: re.Match[str]) -> str:
        text = match.group()
        match match.lastgroup:
            case "row":
                return _speak_row(text)
            case "link":
                return speakable(text[text.index("[") + 1 : text.index("](")])
            case "escape":
                return text[1]
            case "marks":
                return self._speak_marks(match)
            case "word":
                return self._speak_plain(text)
        return ""

    def _speak_plain(self, text: str) -> str:
        """Return the text without the space or joiner of a symbol."""
        gap, self._gap = self._gap, False
        if text == _JOINER and re.fullmatch(_EMOJI, self._previous):
            self._gap = gap
            return ""
        return "" if gap and text == " " else text

    def _speak_marks(self, match: re.Match[str]) -> str:
        """Return marks that are no markup, as in 2 * 3."""
        run = match.group()
        around = self._previous + (match.string[match.end() :][:1] or " ")
        apart, inside = around.isspace(), around.isalnum()
        match run[0]:
            case "`":
                literal = False
            case "~":
                literal = len(run) != 2  # noqa: PLR2004 - what strikes out
            case "_":
                literal = apart or inside
            case _:
                literal = apart or (inside and (len(run) == 1 or around.isdecimal()))
        return run if literal else ""


def speakable(text: str) -> str:
    """Return a whole text for speech."""
    speech = SpeechText()
    return speech.feed(text) + speech.finish()


def _speak_row(row: str) -> str:
    """Return the cells of a table row, joined by commas."""
    if _SEPARATOR.fullmatch(row):
        return ""
    cells = _CELL_BORDER.split(row.strip().removeprefix("|").removesuffix("|"))
    return ", ".join(speakable(cell.strip()) for cell in cells) + "\n"
