"""Filter for model output.

It removes thoughts, directives and sentinels.
"""

import re
from typing import Final

# Tags around a model's thoughts: those that OpenClaw strips, and those of MiniMax
# (`<mm:think>`), Magistral (`[THINK]`) and Kimi (`◁think▷`).
_THOUGHT: Final = (
    r"(?:[a-z]{1,20}:)?"
    r"(?:think(?:ing)?|thoughts?|antthinking|reasoning|reflection|scratchpad)"
)
# Tool calls that a model writes as text, and what is shown of them if a Gateway does
# not run them: <tool_call>{"name": "x"}</tool_call>; OpenClaw knows them, too.
_CALL: Final = (
    r"(?:[a-z]{1,20}:)?(?:tool_(?:calls?|results?)|function_(?:calls?|results?)|invoke)"
)
_CALL_START: Final = rf"<\ ?{_CALL}(?:[ \t][^<>\n]{{0,200}})?>"
_TAG: Final = re.compile(
    rf"""(?P<call>{_CALL_START}(?=\s{{0,20}}[{{\[<]))|</{_CALL}>
    |<\ ?(?P<end>/?)\ ?(?:{_THOUGHT}|(?P<final>final))(?:[ \t][^<>\n]{{0,200}}?)?
        \ ?(?P<empty>/?)>
    |\[(?P<end_bracket>/?)THINK\]
    |◁(?P<end_triangle>/?)think▷""",
    re.VERBOSE | re.IGNORECASE,
)
_TAG_PREFIX: Final = re.compile(
    rf"""<\ ?/?\ ?(?:[a-z_]{{0,20}}(?::[a-z_]{{0,20}})?
        |(?:{_THOUGHT}|{_CALL}|final)[ \t][^<>\n]{{0,200}})/?
    |{_CALL_START}\s{{0,20}}
    |\[/?(?:T|TH|THI|THIN|THINK)?
    |◁/?(?:t|th|thi|thin|think)?""",
    re.VERBOSE | re.IGNORECASE,
)
_THOUGHT_END: Final = re.compile(
    rf"<\ ?/\ ?{_THOUGHT}\ ?>|\[/THINK\]|◁/think▷", re.IGNORECASE
)

_CALL_END: Final = re.compile(rf"</{_CALL}>", re.IGNORECASE)

# Tokens of a model's chat format that a server has not read as such, and the channels
# of gpt-oss: <|channel|>analysis<|message|>The user…<|end|><|start|>assistant.
_TOKEN: Final = re.compile(
    r"<\|channel\|>(?:(?P<hidden>analysis|commentary)|final)"
    r"|<\|(?:im_)?start(?:_header_id)?\|>assistant"
    r"|<[|\uff5c][^<>|\uff5c\s]{1,40}[|\uff5c]>"
)
_TOKEN_PREFIX: Final = re.compile(
    r"<(?:[|\uff5c][^<>|\uff5c\s]{0,40}[|\uff5c]?)?"
    r"|<\|(?:channel|(?:im_)?start(?:_header_id)?)\|>[a-z]{0,10}"
)
_HIDDEN_END: Final = re.compile(
    r"<\|(?:end|call|return)\|>|(?=<\|(?:channel|start)\|>)"
)

# [[reply_to_current]], [[reply_to:<id>]], [[audio_as_voice]], [[tts:voice=x]],
# [[quick_replies: A, B]], [embed ref="cv_1" title="Status" /]. Names without a value
# are listed: [[kitchen]] is a wiki link. None reaches over the start of another one:
# thousands of starts would take quadratic time.
_DIRECTIVE: Final = re.compile(
    r"""\[\[[ \t]{0,9}
    (?:(?i:reply_to_current|audio_as_voice|/?tts)
        |/?(?:(?i:reply_to|tts)|[a-z][a-z0-9_]{0,39})[ \t]{0,9}:[^\[\]\n]{0,2000})
    [ \t]{0,9}\]\]
    |\[(?:embed|view)[ \t]{1,9}[a-z]{1,20}=[^\[\]\n]{0,2000}\]""",
    re.VERBOSE,
)
_DIRECTIVE_PREFIX: Final = re.compile(
    r"""\[(?:\[[ \t]{0,9}
        (?:/?(?:[a-z][a-z0-9_]{0,39}[ \t]{0,9}(?::[^\[\]\n]{0,2000})?)?)?\]?)?
    |\[(?:e|em|emb|embe|v|vi|vie)
    |\[(?:embed|view)(?:[ \t]{1,9}(?:[a-z]{1,20}(?:=[^\[\]\n]{0,2000})?)?)?""",
    re.VERBOSE | re.IGNORECASE,
)
# [[tts:text]](laughs) Only for the ear.[[/tts:text]]
_ASIDE: Final = re.compile(r"\[\[\s*tts\s*:\s*text\s*\]\]", re.IGNORECASE)
_ASIDE_END: Final = re.compile(r"\[\[ ?/tts(?: ?: ?text)? ?\]\]", re.IGNORECASE)
# Any of the ends above, cut anywhere.
_END_PREFIX: Final = re.compile(r"(?:<[^<>\n]{0,60}|\[[^\]\n]{0,20}\]?|◁[^▷\n]{0,8})\Z")

# MEDIA:/home/claw/a.png, MEDIA: `./my picture.png`, MEDIA:https://e.example/a.png
# Within limits, so that the next chunk does not decide for ever.
_MANY_BLANKS: Final = re.compile(r"[ \t]{100}")
_MEDIA: Final = re.compile(
    r"[ \t]{0,99}MEDIA:(?P<value>[^\n]{0,4000})(?=\n|\Z)",
)
_MEDIA_PREFIX: Final = re.compile(
    r"[ \t]{0,99}(?:M|ME|MED|MEDI|MEDIA|MEDIA:[^\n]{0,4000})?"
)
_MEDIA_URL: Final = re.compile(r"https?://\S+[ \t]*", re.IGNORECASE)
_MEDIA_PATH: Final = re.compile(
    r"[`\"']?(?:[/~\\]|\.{1,2}[/\\]|[a-z]+:\S|\S*[/\\]|\S+\.\w{1,10}[`\"']?$)",
    re.IGNORECASE,
)

# What OpenClaw's prompts let an agent reply to a poll, and what it never shows.
_SENTINELS: Final = ("HEARTBEAT_OK", "NO_REPLY", "ANNOUNCE_SKIP", "REPLY_SKIP")
_NAMES: Final = "|".join(_SENTINELS)
_HTML: Final = r"</?[a-z]{1,6}>"
_OPENERS: Final = rf"(?:[^\w\n<`\[]|_|{_HTML}){{0,9}}"
_BEHIND: Final = rf"(?:[^\w\n<`]|_|{_HTML}){{0,9}}"
_SENTINEL: Final = re.compile(rf"{_OPENERS}(?:{_NAMES})(?P<behind>{_BEHIND})")
_SENTINEL_PREFIX: Final = re.compile(
    rf"{_OPENERS}(?:</?[a-z]{{0,6}}"
    rf"|{'|'.join(name[:end] for name in _SENTINELS for end in range(len(name)))}"
    rf"|(?:{_NAMES}){_BEHIND}(?:</?[a-z]{{0,6}})?)"
)
# "HEARTBEAT_OK: all is well", not "NO_REPLY means …".
_SEPARATORS: Final = ".,;:!-\u2013\u2014"

_FENCE: Final = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]*(`{3,}|~{3,})")
_INDENT: Final = re.compile(r" {4}|\t")
# More are two runs, for the same reason.
MAX_BACKTICKS: Final = 200
_BACKTICKS: Final = re.compile(rf"`{{1,{MAX_BACKTICKS}}}")
_LINE_END: Final = re.compile(r"\n")
_CODE_END: Final = re.compile(r"[\n`]")
_SENTENCE_END: Final = ".!?…。\uff01\uff1f\u2013\u2014"
_CLOSERS: Final = ")]\"'”\u2019»*_"
_PLAIN: Final = re.compile(rf"[^\n`<\[◁{_SENTENCE_END}]+|[{_SENTENCE_END}]+|.")
_BEHIND_SENTENCE: Final = re.compile(
    rf"[ \t]+|[{re.escape(_CLOSERS)}]+|[^\n`<\[◁{_SENTENCE_END}]+|[{_SENTENCE_END}]+|."
)
# Instead of the marks of inline code: the code extends to the end of the line.
_WHOLE_LINE: Final = "\n"
# Characters of a line that are kept to recognize a fence.
_MAX_LINE: Final = 200
_LEADING: Final = re.compile(r"(?:[^\S\n]*\n)*(?: {1,3}(?![ \t]))?")
_INVISIBLE: Final = "\u200b\u2060\ufeff"


def has_words(text: str) -> bool:
    """Return whether there are words."""
    return any(map(str.isalnum, text))


class ReplyFilter:
    """Filter for streamed text.

    Any chunks give the same result. A possible tag, directive or sentinel is held back
    until the next chunk decides. Code is not filtered.

    Attributes:
        silent: a sentinel was taken out.
        thinking: a thought or a tool call has begun and has not ended.

    """

    def __init__(self) -> None:
        """Initialize without text."""
        self.silent = False
        self.thinking = False
        self._thought_end = _THOUGHT_END
        self._held = ""
        # Text before the first letter or digit.
        self._lead: str | None = ""
        self._aside = ""
        self._in_aside = False
        self._line = ""
        self._blank = self._blank_before = True
        self._previous = "\n"
        # 1 behind the end of a sentence, 2 behind blanks that follow it.
        self._sentence = 0
        self._dropped = False
        self._code = self._fence = ""
        self._segment_ended = False

    @property
    def without_words(self) -> str:
        """Return the text of a reply that has no words."""
        return self._lead or ""

    def feed(self, text: str) -> str:
        """Process a chunk; return the new text."""
        if self._segment_ended and text:
            self._segment_ended = False
            text = text.removeprefix("\n")
        return self._show(self._read(self._held + text, final=False))

    def end_segment(self) -> str:
        """Return the rest before a tool call."""
        # The next segment starts with an empty line. The end of this line decides here
        # what it would decide there.
        if self._segment_ended:
            return ""
        shown = self.feed("\n")
        self._segment_ended = True
        return shown

    def finish(self) -> str:
        """Return the rest at the end."""
        shown = self._show(self._read(self._held, final=True))
        if self._lead is not None and not self.thinking:
            # Nothing but text for speech: show that.
            shown = self._show(self._aside)
        return shown

    def _show(self, text: str) -> str:
        """Return the text once it has words."""
        if self._lead is None:
            return text
        self._lead += text
        if not has_words(text):
            return ""
        shown, self._lead = self._lead.lstrip(_INVISIBLE), None
        leading = _LEADING.match(shown)
        return shown[leading.end() :] if leading else shown

    def _read(self, text: str, *, final: bool) -> str:
        shown: list[str] = []
        at = 0
        while at < len(text):
            end = self._read_token(text, at, shown, final=final)
            if end == at:
                break
            at = end
        self._held = text[at:]
        return "".join(shown)

    def _read_token(self, text: str, at: int, shown: list[str], *, final: bool) -> int:
        """Return the end of a token.

        `at` if the next chunk decides about it.
        """
        if self.thinking or self._in_aside:
            return self._skip(text, at, final=final)
        if text[at] == "\n":
            self._end_line(shown)
            return at + 1
        if text[at] == "`" and not self._fence:
            return self._read_backticks(text, at, shown, final=final)
        if self._fence or self._code:
            end = _LINE_END if self._fence else _CODE_END
            return self._emit(text, at, _until(text, at, end), shown)
        if not final and self._is_undecided(text, at):
            return at
        return self._read_text(text, at, shown)

    def _skip(self, text: str, at: int, *, final: bool) -> int:
        """Skip hidden text.

        A thought, a tool call, or text only for speech.
        """
        pattern = self._thought_end if self.thinking else _ASIDE_END
        if end := pattern.search(text, at):
            stop, behind = end.span()
        else:
            prefix = None if final else _END_PREFIX.search(text, at)
            stop = behind = prefix.start() if prefix else len(text)
        if self._in_aside:
            self._aside += text[at:stop]
        if end:
            self.thinking = self._in_aside = False
            self._dropped = True
        return behind

    def _read_backticks(
        self, text: str, at: int, shown: list[str], *, final: bool
    ) -> int:
        marks = _match(_BACKTICKS, text, at)
        undecided = marks.end() == len(text) and len(marks[0]) < MAX_BACKTICKS
        if undecided and not final:
            return at
        if not self._code:
            self._code = marks[0]
        elif self._code == marks[0]:
            self._code = ""
        return self._emit(text, at, marks.end(), shown)

    def _is_undecided(self, text: str, at: int) -> bool:
        """Return whether more text is needed."""
        if self._blank and (
            _MEDIA_PREFIX.fullmatch(text, at) or text[at : at + 3] in ("~", "~~")
        ):
            return True
        return bool(
            (self._is_start and _SENTINEL_PREFIX.fullmatch(text, at))
            or _TAG_PREFIX.fullmatch(text, at)
            or _TOKEN_PREFIX.fullmatch(text, at)
            or _DIRECTIVE_PREFIX.fullmatch(text, at)
        )

    @property
    def _is_start(self) -> bool:
        """Return whether a line or sentence starts here."""
        return self._blank or self._sentence > 1

    def _read_text(self, text: str, at: int, shown: list[str]) -> int:
        """Read a token outside of code."""
        if self._blank and (end := self._read_line_start(text, at, shown)):
            return end
        if self._is_start and (end := self._sentinel_end(text, at)):
            self.silent = self._dropped = True
            return end
        if token := _TOKEN.match(text, at):
            self.thinking, self._thought_end = bool(token["hidden"]), _HIDDEN_END
            self._dropped = True
            return token.end()
        if tag := _TAG.match(text, at):
            self._thought_end = _CALL_END if tag["call"] else _THOUGHT_END
            self.thinking = _starts_thought(tag)
            self._dropped = True
            return tag.end()
        if directive := _DIRECTIVE.match(text, at):
            self._in_aside = _ASIDE.fullmatch(directive[0]) is not None
            self._dropped = True
            return directive.end()
        pattern = _BEHIND_SENTENCE if self._sentence else _PLAIN
        return self._emit(text, at, _match(pattern, text, at).end(), shown)

    def _sentinel_end(self, text: str, at: int) -> int | None:
        """Return the end of a lone sentinel."""
        sentinel = _SENTINEL.match(text, at)
        if sentinel is None:
            return None
        alone = text[sentinel.end() : sentinel.end() + 1] in ("", "\n")
        separate = self._blank and set(sentinel["behind"]) & set(_SEPARATORS)
        return sentinel.end() if alone or separate else None

    def _read_line_start(self, text: str, at: int, shown: list[str]) -> int | None:
        """Read a directive or fence."""
        indent = _INDENT.match(text, at)
        if indent and self._blank_before and not self._line:
            self._code = _WHOLE_LINE
            return self._emit(text, at, indent.end(), shown)
        if text.startswith("~~~", at):
            self._code = _WHOLE_LINE
            return self._emit(text, at, at + 3, shown)
        if blanks := _MANY_BLANKS.match(text, at):
            return self._emit(text, at, blanks.end(), shown)
        media = _MEDIA.match(text, at)
        if media and (rest := _behind_media(media["value"].lstrip(" \t"))) is not None:
            self._dropped = True
            self._emit(rest, 0, len(rest), shown)
            return media.end()
        return None

    def _emit(self, text: str, at: int, end: int, shown: list[str]) -> int:
        """Emit a piece and return its end."""
        piece = text[at:end]
        if self._dropped and self._previous.isspace():
            piece = piece.lstrip(" \t")
        if not piece:
            return end
        self._dropped = False
        shown.append(piece)
        self._line = (self._line + piece)[:_MAX_LINE]
        self._previous = piece[-1]
        if piece.isspace():
            self._sentence = 2 if self._sentence else 0
            return end
        self._blank = False
        if piece[-1] in _SENTENCE_END:
            self._sentence = 1
        elif piece.strip(_CLOSERS) or self._sentence > 1:
            self._sentence = 0
        return end

    def _end_line(self, shown: list[str]) -> None:
        fence = _FENCE.match(self._line)
        if self._fence:
            marks = self._line.strip(" \t>")
            if marks.startswith(self._fence) and not marks.strip(self._fence[0]):
                self._fence = ""
        elif fence and self._code in (fence[1], _WHOLE_LINE):
            self._fence = fence[1]
        # A line of nothing but directives is gone with its end.
        if not (self._dropped and self._blank):
            shown.append("\n")
            self._previous = "\n"
            self._blank_before = self._blank or self._code == _WHOLE_LINE
        self._line = self._code = ""
        self._blank, self._sentence, self._dropped = True, 0, False


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    match = pattern.match(text, at)
    assert match  # noqa: S101 - the pattern matches any character
    return match


def _starts_thought(tag: re.Match[str]) -> bool:
    """Return whether a tag starts a thought."""
    ends = tag["end"] or tag["end_bracket"] or tag["end_triangle"]
    stray = tag[0].startswith("</")
    return not (ends or stray or tag["final"] or tag["empty"])


def _until(text: str, at: int, end: re.Pattern[str]) -> int:
    """Return the position of the first end.

    That of the text if there is none.
    """
    found = end.search(text, at)
    return found.start() if found else len(text)


def _behind_media(value: str) -> str | None:
    """Return the words after a media address.

    None if it is no `MEDIA:` line.
    """
    if url := _MEDIA_URL.match(value):
        return value[url.end() :]
    # A path may hold blanks.
    return "" if _MEDIA_PATH.match(value) else None
