"""Spoken text of replies."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.speech import SpeechText, speakable

MARKUP = st.sampled_from(
    [
        "*",
        "**",
        "_",
        "`",
        "```",
        "~~~",
        "~~",
        "#",
        "# ",
        "- ",
        "* ",
        "+ ",
        "> ",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "|",
        "|-|",
        "---",
        "\\",
        "<",
        ">",
        "!",
        "http",
        "https://",
        "h.x/y",
        "www.",
        ".",
        "a",
        "b ",
        " ",
        "\n",
        "- [x] ",
        "👍",
        "👩\u200d👧",
        "\u200d",
        "\ufe0f",
        "1",
        "é",
        "中",
    ]
)
REPLIES = st.lists(MARKUP, max_size=25).map("".join)
PLAIN = st.text(
    st.characters(categories=["L", "Nd", "Zs"], include_characters="\n.,;:?'\"()/%&=$€")
).filter(lambda text: "www" not in text.lower() and "http" not in text.lower())


def _spoken(chunks: list[str]) -> str:
    speech = SpeechText()
    return "".join([*map(speech.feed, chunks), speech.finish()])


def _chunks(text: str, positions: list[int]) -> list[str]:
    bounds = sorted(
        {0, len(text), *(position % (len(text) + 1) for position in positions)}
    )
    return [text[a:b] for a, b in pairwise(bounds)]


@given(REPLIES, st.lists(st.integers(0, 1000)))
def test_result_is_independent_of_chunking(reply: str, positions: list[int]) -> None:
    assert _spoken(_chunks(reply, positions)) == speakable(reply)
    assert _spoken(list(reply)) == speakable(reply)


@given(st.lists(PLAIN))
def test_plain_text_is_unchanged_and_not_delayed(chunks: list[str]) -> None:
    speech = SpeechText()
    fed = spoken = ""
    for chunk in chunks:
        fed += chunk
        spoken += speech.feed(chunk)
        assert len(fed) - len(spoken) < len("https://")
    assert spoken + speech.finish() == fed


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 = 6, and 2*3 = 6, and 2**3 = 8.",
        "snake_case and sensor.living_room_temperature",
        "It is -5 degrees, ~7 inside. Well!",
        "A [sic] stays (as do brackets).",
        "3 < 4 > 2",
        "1. First\n2. Second",
        "C:\\Users and h, ht, http, www and awww.",
        "Fill in: ____ .",
        "#hashtag",
        "Größe 中文 العربية\nनमस्ते क्\u200dष",
    ],
)
def test_text_resembling_markup_is_kept(text: str) -> None:
    assert speakable(text) == text


@pytest.mark.parametrize(
    ("reply", "spoken"),
    [
        ("**Bold**, *italic*, __bold__, _italic_, ***both***", None),
        ("这是**重点**内容", "这是重点内容"),
        ("Run `ls -l` or ``a`` now", "Run ls -l or a now"),
        ("~~old~~ new", "old new"),
        ("# Title\n## Sub\nText", "Title\nSub\nText"),
        ("- one\n* two\n+ three\n  - four", "one\ntwo\nthree\n  four"),
        ("- [x] done\n- [ ] open", "done\nopen"),
        ("> quoted\n> - item", "quoted\nitem"),
        ("one\n---\ntwo\n***\nthree", "one\ntwo\nthree"),
        ("See [the **docs**](https://a.b/c_(d)) now", "See the docs now"),
        ("![A cat](cat.png)!", "A cat!"),
        ("See https://a.b/c?d=e for more.", "See for more."),
        ("It is at <https://a.b>, or www.c.d.", "It is at , or ."),
        ("**https://a.b/**", ""),
        ("Do:\n```python\nx = 1\n```\nDone", "Do:\nDone"),
        ("Do:\n~~~\nx\n```\n~~~~\nDone", "Do:\nDone"),
        ("```code``` stays", "code stays"),
        ("Never closed:\n```\nx = 1", "Never closed:\n"),
        ("Hi 👋🏽 there ✅", "Hi there "),
        ("👩\u200d👧 and 1\ufe0f\u20e3", "and 1"),
        ("| a | **b** |\n|---|:-:|\n| 1 | 2 |\n", "a, b\n1, 2\n"),
        ("| a \\| b | c |", "a | b, c\n"),
        ("\\*literal\\*", "*literal*"),
    ],
)
def test_markup_is_removed(reply: str, spoken: str | None) -> None:
    assert speakable(reply) == (
        "Bold, italic, bold, italic, both" if spoken is None else spoken
    )


@pytest.mark.parametrize(
    ("chunk", "spoken"),
    [
        ("It is **", "It is "),
        ("It is **warm", "It is warm"),
        ("See [the docs", "See "),
        ("See [the docs](https://a.b/", "See "),
        ("A line\n", "A line\n"),
        ("A line\n- item", "A line\nitem"),
        ("A line\n-", "A line\n"),
    ],
)
def test_only_ambiguous_text_is_buffered(chunk: str, spoken: str) -> None:
    assert SpeechText().feed(chunk) == spoken
