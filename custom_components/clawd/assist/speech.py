"""Conversion of replies to speech."""

# Without markdown-it-py, which Home Assistant does not ship and which knows only whole
# paragraphs: a `*`, a link or a table's second line changes what came before, and what
# models write against CommonMark's rules (`**「重点」**の`) it leaves as it is.

from collections import deque
import re
from string import ascii_letters, digits
from typing import Final

from .markup import BULLETS, closed_places, has_cells, speak, speak_math, speak_row
from .reply import has_words

# Ends of sentences, if a space and another sentence follow; and those of scripts that
# write no spaces. The blanks belong to the sentence before. Marks are read from their
# first one only: a search from each of many would take quadratic time.
_STOPS: Final = ".!?…\u061f\u06d4\u0964\u0965\u0589\u1362\u1367"
_QUOTES: Final = "\"'\u2018\u2019“”«»\u2039\u203a"
_WIDE_ENDS: Final = "。｡\uff01\uff1f"
_WIDE_CLOSERS: Final = f"」』”\u2019\uff09){re.escape(']')}*_"
_SENTENCE_END: Final = re.compile(
    rf"(?<![{_STOPS}])[{_STOPS}]+[{_QUOTES})\]*_]*[ \t]+(?=\S)"
    rf"|(?<![{_WIDE_ENDS}])[{_WIDE_ENDS}]+[{_WIDE_CLOSERS}]*(?=[^{_WIDE_ENDS}{_WIDE_CLOSERS}\n])"
)
_MARKS: Final = f"{_STOPS}{_WIDE_ENDS}{_QUOTES}{_WIDE_CLOSERS})]*_ \t"
# "z. B.", "J. Smith"
_INITIAL: Final = re.compile(r"(?:^|[\s.(])[^\W\d_]\Z")

# Without an end in so many characters, a sentence is cut at a clause or between words,
# but not between a number and its unit: Thai has no full stops, some models neither.
_LIMITS: Final = (300, 600, 1200, 2400)
# Characters that decide about the end of a sentence or a line: all up to the last
# limit, and the one behind it.
_WINDOW: Final = _LIMITS[-1] + 1
_WIDE_COMMAS: Final = "\u3001\uff0c\uff1b\uff1a"
_CLAUSE_END: Final = re.compile(
    rf"(?<=[^\W\d_])(?:[,;:\u060c\u2013\u2014]+[ \t]+|[{_WIDE_COMMAS}]+)"
    rf"(?=[^\s{_WIDE_COMMAS}])"
)
_WORD_END: Final = re.compile(
    r"(?<=[^\W\d_])[ \t]+(?=[^\W\d_])"
    r"|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af])"
    r"(?=[^\W\d_])"
)

# Lines that are read as a whole: fences, rows, formulas, definitions.
_ITEM: Final = r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)?+"
_WHOLE_LINE: Final = re.compile(
    rf"{_ITEM}(?:`{{3}}|~{{3}}|\||\$\$|\\\[|\[[^\]\n]{{1,300}}\]:)"
)
_FENCE: Final = re.compile(rf"{_ITEM}(`{{3,}}(?=[^`]*\Z)|~{{3,}})[^\n]*\n?")
_FORMULA: Final = {"$$": "$$", "\\[": "\\]"}
# [1]: https://e.example "Title"; [^1]: A footnote.
_DEFINITION: Final = re.compile(
    r"[ \t>]*\[(?!\^)[^\]\n]+\]:[ \t]*(?:<[^<>\n]*>|(?=\S*[/#@.]\S)\S++)"
    r"(?:[ \t]+[\"'(][^\n]*)?[ \t]*\Z"
)
_FOOTNOTE: Final = re.compile(r"[ \t>]*\[\^[^\]\n]+\]:[ \t]*")
_LINE_MARKS: Final = re.compile(
    rf"""(?P<indent>[ \t]*)
    (?:>[ \t]?
    |\#{{1,6}}(?:[ \t]+|\Z)
    |[-*+\u2013\u2014{BULLETS}][ \t]+(?:\[[ xX]\][ \t]+)?)""",
    re.VERBOSE,
)
_CLOSING_MARKS: Final = re.compile(
    r"(?<![ \t])[ \t]+#+[ \t]*\Z|(?:(?<![ \t])[ \t]+)?\\\Z"
)


# Data in a text, such as a picture in an address: no word is so long, and there are
# letters and digits.
MAX_WORD: Final = 200
_DATA_SIGNS: Final = "+/=_%-"
_DATA_CHARACTERS: Final = ascii_letters + digits + _DATA_SIGNS
_DATA: Final = re.compile(
    rf"(?<![A-Za-z0-9{_DATA_SIGNS}])"
    rf"(?=[A-Za-z{_DATA_SIGNS}]{{0,{MAX_WORD - 1}}}[0-9])"
    rf"(?=[0-9{_DATA_SIGNS}]{{0,{MAX_WORD - 1}}}[A-Za-z])"
    rf"[A-Za-z0-9{_DATA_SIGNS}]{{{MAX_WORD},}}"
)
_DATA_LINK: Final = re.compile(r"!?\[([^\[\]\n]{0,300})\]\(data:[^\s()]*\)?")


class SpeechText:
    """Stream of whole, cleaned sentences.

    Any chunks give the same result. The end of a sentence depends on the start of the
    next one.
    """

    def __init__(self, *, cleanup: bool = True) -> None:
        """Initialize without text."""
        self._cleanup = cleanup
        self._held = ""
        # Of the held text: the place up to which no sentence ends, and the last limit
        # at which it cannot be cut. More text does not change them.
        self._endless = self._uncut = 0
        self._line_start = True
        self._fence = ""
        self._formula = ""
        self._in_definition = False
        # The last sentence was cut within data.
        self._in_data = False

    def feed(self, text: str) -> str:
        """Process a chunk; return complete sentences."""
        text, start, spoken = self._held + text, 0, []
        while end := self._sentence_end(text[start : start + _WINDOW]):
            spoken.append(self._speak(text[start : start + end]))
            start += end
            self._endless = self._uncut = 0
        self._held = text[start:]
        return "".join(spoken)

    def finish(self) -> str:
        """Return the last sentence."""
        return self._speak(self._take(len(self._held)), final=True)

    def flush(self) -> str:
        """Return the last sentence if complete."""
        whole = self._held.rstrip()
        known = self._endless, self._uncut
        # Where it would end if another one followed.
        end = self._sentence_end(f"{whole} A")
        self._endless, self._uncut = known
        if not whole or end < len(whole):
            return ""
        self._take(len(self._held))
        return self._speak(f"{whole} ")

    def cut(self, minimum: int) -> str:
        """Return the start of a long sentence.

        Up to a clause or word.
        """
        place = _cut(self._held) or 0
        if place < minimum or self._reads_whole_line(self._held):
            return ""
        return self._speak(self._take(place))

    def _take(self, size: int) -> str:
        """Remove the start of the held text and return it."""
        start, self._held = self._held[:size], self._held[size:]
        self._endless = self._uncut = 0
        return start

    def _sentence_end(self, text: str) -> int:
        """Return the end of the first sentence.

        0 if the next chunk decides.
        """
        if self._reads_whole_line(text):
            long = _LIMITS[-1] if len(text) > _LIMITS[-1] else 0
            return text.find("\n", 0, _LIMITS[-1]) + 1 or long
        end, self._endless = _first_end(text, self._endless)
        for limit in _LIMITS:
            if end and end <= limit:
                return end
            if len(text) <= limit:
                return 0
            if limit <= self._uncut:
                continue
            if cut := _cut(text[:limit]):
                return cut
            self._uncut = limit
        return _LIMITS[-1]

    def _reads_whole_line(self, text: str) -> bool:
        return bool(
            self._fence
            or self._formula
            or self._in_definition
            or (self._line_start and _WHOLE_LINE.match(text))
        )

    def _speak(self, text: str, *, final: bool = False) -> str:
        """Convert a sentence or line to words."""
        starts, self._line_start = self._line_start, text.endswith("\n")
        if not self._cleanup:
            return text
        if self._in_definition or self._fence or self._formula:
            return self._speak_within_block(text)
        text = self._skip_data(text)
        if not starts:
            return _speak_line(text, " ")
        if self._starts_block(text):
            return ""
        line = text.removesuffix("\n")
        words = _FOOTNOTE.sub("", _strip_marks(line), count=1)
        words = _speak_line(_CLOSING_MARKS.sub("", words), "\n")
        # A line of marks is a rule, an underline or a row of emojis.
        ends = final or self._line_start
        if ends and line.strip() and not has_words(words):
            return ""
        return words + text[len(line) :]

    def _skip_data(self, text: str) -> str:
        """Remove the rest of data that the last sentence ends with."""
        rest = text.lstrip(_DATA_CHARACTERS) if self._in_data else text
        cut = _DATA.fullmatch(rest[-MAX_WORD:]) is not None
        self._in_data = cut or (bool(text) and not rest)
        return rest

    def _starts_block(self, line: str) -> bool:
        """Return whether a line starts a block.

        Of code or a formula.
        """
        bare = line.strip(" \t>\n")
        if fence := _FENCE.fullmatch(line):
            self._fence = fence[1]
        elif bare in _FORMULA:
            self._formula = _FORMULA[bare]
        elif _DEFINITION.match(line.removesuffix("\n")):
            # The rest of a long line belongs to it.
            self._in_definition = not self._line_start
        else:
            return False
        return True

    def _speak_within_block(self, line: str) -> str:
        """Convert a line within a block.

        Of a formula; code and the rest of a definition are not spoken.
        """
        bare = line.strip(" \t>\n")
        if self._in_definition:
            self._in_definition = not self._line_start
        elif self._formula:
            if bare != self._formula:
                return speak_math(bare) + "\n"
            self._formula = ""
        elif bare.startswith(self._fence) and not bare.strip(self._fence[0]):
            self._fence = ""
        return ""


def speakable(text: str) -> str:
    """Return a whole text for speech."""
    speech = SpeechText()
    return speech.feed(text) + speech.finish()


def _first_end(text: str, start: int) -> tuple[int | None, int]:
    """Return the end of the first sentence in a line.

    None if it is too long; and the place up to which there is no end.
    """
    # The last end may depend on the character behind it.
    line_end = text.find("\n", 0, _LIMITS[-1]) + 1
    limit = line_end or _LIMITS[-1] + 1
    ends = (
        match.end()
        for match in _SENTENCE_END.finditer(text, start, limit)
        if _ends_sentence(match)
    )
    if end := next(closed_places(text, ends), None) or line_end:
        return end, start
    # The last marks may end a sentence, if they are followed by one.
    return None, start if text[-1:] in _MARKS else min(len(text), limit)


def _ends_sentence(match: re.Match[str]) -> bool:
    """Return whether a period ends a sentence.

    Not that of an ordinal or an abbreviation.
    """
    if match[0].rstrip(" \t") != ".":
        return True
    before, after = match.string[: match.start()], match.string[match.end()]
    return not (
        before[-1:].isdecimal()
        or after.islower()
        or after.isdecimal()
        or _INITIAL.search(before[-2:])
    )


def _cut(text: str) -> int | None:
    """Return the best cut of a long sentence."""
    for pattern in (_CLAUSE_END, _WORD_END):
        places = (match.end() for match in pattern.finditer(text))
        if found := deque(closed_places(text, places), maxlen=1):
            return found[0]
    return None


def _strip_marks(line: str) -> str:
    """Strip marks of quotes, headings and lists."""
    while marks := _LINE_MARKS.match(line):
        line = marks["indent"] + line[marks.end() :]
    return line


def _speak_line(text: str, before: str) -> str:
    text = _DATA_LINK.sub(r"\1", text)
    words = speak_row(text) if has_cells(text) else speak(text, before)
    return _DATA.sub("", words)
