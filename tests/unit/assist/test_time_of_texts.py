"""Time to read texts of anyone, which is taken in the event loop."""

from collections.abc import Callable
from contextlib import suppress
import time
from typing import Any

import pytest

from custom_components.clawd.assist.answers import find_answer, is_refusal
from custom_components.clawd.assist.json_reply import find_json, is_json
from custom_components.clawd.assist.markup import has_cells, speak_math, speak_row
from custom_components.clawd.assist.media_markdown import find_elsewhere, plain
from custom_components.clawd.assist.questions import is_question
from custom_components.clawd.assist.reply import ReplyFilter
from custom_components.clawd.assist.session import named_session_key
from custom_components.clawd.assist.speech import SpeechText, speakable
from custom_components.clawd.assist.stop import is_stop
from custom_components.clawd.flows.address import parse_address
from custom_components.clawd.flows.secret import read_secret
from custom_components.clawd.gateway import QuestionChoice, QuestionItem
from custom_components.clawd.gateway.endpoint import read_fingerprint
from custom_components.clawd.gateway.headers import header_secrets, valid_headers
from custom_components.clawd.gateway.runs.failure import provider_message
from custom_components.clawd.home.text import one_line, plain as plain_lines
from custom_components.clawd.redaction import redact_texts
from custom_components.clawd.util.glossary import meaning

# Characters, and the seconds from which a time is compared with that of a quarter of
# them: far above the time of any text that is read in linear time, and far below that
# of one that is not.
SIZE = 2000
NOTABLE = 0.03
# Four times the text in quadratic time takes 16 times as long.
MAX_GROWTH = 9

UNITS = (
    *(
        "\\[",
        "\\(",
        "$",
        "$x",
        "$$",
        "`",
        "`a",
        "` ``",
        "`a. ",
        "[",
        "![",
        "[a](",
        "](",
    ),
    *(
        "[a](x)",
        "[[",
        "[^",
        "[a]: ",
        "[\\",
        "[a. ",
        "<",
        "<a ",
        "<!--",
        "<b. ",
        "</",
        "<a@",
    ),
    *(
        "<sup>",
        "*",
        "* ",
        "a*b",
        "_",
        "~",
        "~~~",
        "|",
        "a|",
        "| `",
        "\\",
        "\\|",
        "&",
        "&#1",
    ),
    *(
        "#",
        "# ",
        "> ",
        "- ",
        "1. ",
        "•",
        "→ ",
        " -> ",
        "─",
        "😀",
        "😀\u200d。<b",
        ":a:",
        "://",
    ),
    *(
        "www.",
        "mailto:",
        "://#&token=",
        "a:b@",
        "/",
        "../",
        "%20",
        "a",
        "a ",
        "A. ",
        ".",
        ",",
    ),
    *(
        "。",
        "?",
        "? ",
        "!",
        ";",
        "漢",
        "ก",
        " ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        "\u0301",
        "e\u0301",
    ),
    *(
        "\u200b",
        "\u200f",
        "\x00",
        "\ud800",
        "\x1b[",
        "1",
        "1,",
        "(",
        "()",
        "{",
        "}",
        '"',
        "„a“",
    ),
    *(
        '[{"',
        '\\"',
        "```\n",
        "```",
        "$$\n",
        "MEDIA:",
        "<think>",
        "</think",
        "[THINK]",
        "◁think▷",
    ),
    *(
        "[[tts:",
        "[[reply_to:",
        "[embed a=",
        "<|channel|>",
        "HEARTBEAT_OK ",
        "<tool_call>{",
    ),
    *(
        "\\frac{",
        "\\text{",
        "x^{",
        "x_{",
        "error ",
        "eyJ",
        "aa:",
        "token: '",
        "${",
        "* \u2192 ",
    ),
)
# Of a row, of code and of a link.
STARTS = ("| ", "`", "[")


def stream(
    reader: type[SpeechText | ReplyFilter], size: int
) -> Callable[[str], object]:
    """Return a function that reads a text in parts."""

    def read(text: str) -> None:
        stream = reader()
        for start in range(0, len(text), size):
            stream.feed(text[start : start + size])
        stream.finish()

    return read


CHOICES = tuple(map(QuestionChoice, ("Kitchen", "Bath", "a " * 50)))
ITEM = QuestionItem("room", "Room", "Which?", CHOICES, multi_select=True)

READERS: dict[str, Callable[[str], object]] = {
    "speech": speakable,
    "row": lambda text: (has_cells(text), speak_row(text)),
    "formula": speak_math,
    "reply": stream(ReplyFilter, SIZE),
    "question": lambda text: (is_question(text, "en"), is_question(f"{text}?", "tr")),
    "stop": is_stop,
    "answer": lambda text: (is_refusal(text), find_answer(ITEM, text)),
    "json": lambda text: (is_json(text), find_json(text)),
    "error": provider_message,
    "markdown": plain,
    "media": find_elsewhere,
    "line": lambda text: one_line(text, 300),
    "lines": plain_lines,
    "session": lambda text: named_session_key("main", text),
    "secret": read_secret,
    "address": parse_address,
    "fingerprint": read_fingerprint,
    "headers": lambda text: (
        header_secrets([text]),
        valid_headers({"X-A": text, text: "a"}),
    ),
    "redaction": lambda text: redact_texts([text, {text: text}], ["0123456789abcdef"]),
    "glossary": meaning,
}
# A sentence is held up to 2,400 characters; within it, the time may grow faster.
STREAMS = {
    "speech by character": (stream(SpeechText, 1), 400),
    "speech in parts": (stream(SpeechText, 64), SIZE),
    "reply by character": (stream(ReplyFilter, 1), 400),
    "reply in parts": (stream(ReplyFilter, 64), SIZE),
}
MAX_STREAM = 0.1


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the processor's time to read a text."""
    begun = time.process_time()
    with suppress(ValueError):
        read(text)
    return time.process_time() - begun


def grows_too_fast(
    read: Callable[[str], Any], start: str, unit: str, size: int
) -> bool:
    """Return whether the time to read a text grows faster than its length."""

    def text(size: int) -> str:
        return (start + unit * size)[:size]

    if seconds(read, text(size)) < NOTABLE:
        return False
    # Another process may have taken the caches meanwhile: the best of some counts.
    long, short = (
        min(seconds(read, text(length)) for _ in range(3))
        for length in (size, size // 4)
    )
    return long > NOTABLE and long > MAX_GROWTH * short


@pytest.mark.parametrize("name", READERS)
def test_the_time_grows_as_the_text(name: str) -> None:
    read = READERS[name]
    assert [unit for unit in UNITS if grows_too_fast(read, "", unit, SIZE)] == []


@pytest.mark.parametrize("start", STARTS)
def test_the_time_for_speech_grows_as_the_text(start: str) -> None:
    found = [unit for unit in UNITS if grows_too_fast(speakable, start, unit, SIZE)]
    assert found == []


@pytest.mark.parametrize("name", STREAMS)
def test_the_time_of_a_stream_is_short(name: str) -> None:
    read, size = STREAMS[name]
    texts = {unit: (unit * size)[:size] for unit in UNITS}
    found = [unit for unit, text in texts.items() if seconds(read, text) > MAX_STREAM]
    assert found == []


@pytest.mark.parametrize(
    ("start", "unit"),
    [
        ("[", "[a](x)"),
        ("[ ", "[a](x) "),
        ("", "\\["),
        ("| ", "\\("),
        ("", "`a. "),
        ("", "😀\u200d。<b"),
        ("", "? "),
        ("", "a"),
        ("[1]: data:image/png;base64,", "a"),
        ("```\n", "a"),
    ],
)
def test_a_long_text_is_spoken_at_once(start: str, unit: str) -> None:
    """Seconds: about ten times those needed."""
    assert seconds(speakable, (start + unit * 32_000)[:32_000]) < 1.0


@pytest.mark.parametrize("unit", ["[[tts:", "[embed a=", "`a ", " ", "MEDIA:", "a\n"])
def test_a_long_reply_is_read_at_once(unit: str) -> None:
    assert seconds(READERS["reply"], (unit * 32_000)[:32_000]) < 0.5


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"A\n{' ' * 250}MEDIA: /a.png\nB", f"A\n{' ' * 200}B"),
        (f"A\n{' ' * 250}B", f"A\n{' ' * 250}B"),
        (f"A {'`' * 450}B", f"A {'`' * 450}B"),
        (f"A\nMEDIA: /{'x' * 3000}\nB", "A\nB"),
        (f"A\nMEDIA: /{'x' * 5000}\nB", f"A\nMEDIA: /{'x' * 5000}\nB"),
        ("A [[tts: B [[tts:x]]C", "A [[tts: B C"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_what_is_too_long_to_wait_for_is_text(text: str, shown: str, size: int) -> None:
    reply = ReplyFilter()
    parts = [reply.feed(text[at : at + size]) for at in range(0, len(text), size)]

    assert "".join([*parts, reply.finish()]) == shown
