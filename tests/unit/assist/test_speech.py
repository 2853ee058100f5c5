"""Spoken text of replies."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.speech import SpeechText, speakable

MARKUP = st.sampled_from(
    [
        *("*", "**", "_", "`", "```", "~~~", "~~", "#", "# ", "- ", "* ", "+ ", "> "),
        *("[", "]", "(", ")", "![", "](", "|", "|-|", "---", "\\", "<", ">", "!"),
        *("http", "https://", "h.x/y", "www.", ".", "a", "b ", " ", "\n", "- [x] "),
        *("👍", "👩\u200d👧", "\u200d", "\ufe0f", "1", "é", "中", "•", "→", " -> "),
        *("$", "$$", "$$\n", "\\(", "\\)", "\\[", "<br>", "<b>", "&nbsp;", "&", ":x:"),
        *("[1]: ", "[^1]: ", "===\n", "。", "Ab. ", "Cd! ", "21. ", "z. B. ", " °C"),
        *(", ", "A" * 150 + " ", "ก" * 160, "\x1b[0m", "\x1b", "\x00"),
    ]
)
REPLIES = st.lists(MARKUP, max_size=25).map("".join)
PLAIN = st.text(
    st.characters(categories=["L", "Nd", "Zs"], include_characters="\n.,;?'\"()%€")
).filter(lambda text: "www" not in text.lower())


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
def test_plain_text_is_spoken_unchanged(chunks: list[str]) -> None:
    lines = "".join(chunks).splitlines(keepends=True)
    spoken = "".join(
        line for line in lines if not line.strip() or any(map(str.isalnum, line))
    )
    assert _spoken(["".join(chunks)]) == spoken


@given(REPLIES)
def test_a_reply_without_clean_up_is_spoken_unchanged(reply: str) -> None:
    speech = SpeechText(cleanup=False)
    assert speech.feed(reply) + speech.finish() == reply


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
        ("[![A cat](cat.png)](https://a.b)", "A cat"),
        ("See https://a.b/c?d=e for more.", "See a.b for more."),
        ("It is at <https://a.b>, or www.c.d.", "It is at a.b, or c.d."),
        ("Open http://192.168.1.5:8123/lovelace/0.", "Open 192.168.1.5."),
        ("http://user:word@h.example/x, [](http://b.c/)", "h.example, b.c"),
        ("Write to <a@b.c>, mailto:d@e.f", "Write to a@b.c, d@e.f"),
        ("It is file:///home/claw/a.png", "It is a.png"),
        ("http://[fe80::1]:80/x", "fe80::1"),
        ("**https://a.b/**", "a.b"),
        ("Do:\n```python\nx = 1\n```\nDone", "Do:\nDone"),
        ("Do:\n~~~\nx\n```\n~~~~\nDone", "Do:\nDone"),
        ("```code``` stays", "code stays"),
        ("Never closed:\n```\nx = 1", "Never closed:\n"),
        ("Hi 👋🏽 there ✅", "Hi there"),
        ("Done ✅. On💡off :smile: 10:30:15", "Done. On off 10:30:15"),
        ("👩\u200d👧 and 1\ufe0f\u20e3", "and 1"),
        ("| a | **b** |\n|---|:-:|\n| 1 | 2 |\n", "a, b\n1, 2\n"),
        ("| a \\| b | c |", "a | b, c"),
        ("Room | °C\n--- | ---\nBath | 21.5", "Room, °C\nBath, 21.5"),
        ("│ a │ b │\n├───┼───┤\n│ 1 │ 2 │", "a, b\n1, 2"),
        ("`a | b`", "a | b"),
        ("• one\n◦ two\n\u2013 three", "one\ntwo\nthree"),
        ("Needed: • flour • salt", "Needed: flour, salt"),
        ("On → off ➡️ on", "On, off, on"),
        ("→ On, → off", "On, off"),
        ("a -> b => c <- d · e", "a, b, c, d, e"),
        ("Line<br>two&nbsp;&amp; three", "Line\ntwo & three"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("H<sub>2</sub>O, 10<sup>3</sup>, <b>x</b><!-- y -->", "H2O, 10³, x"),
        ("3 < 4, <entity_id>, a &lt; b, &#8364;5", "3 < 4, <entity_id>, a < b, €5"),
        ("See [docs][1].\n\n[1]: https://e.example/a", "See docs.\n\n"),
        ("So[^1].\n[^1]: It is a note.", "So.\nIt is a note."),
        ("> [!WARNING]\n> Hot", "Warning:\nHot"),
        ("Title\n=====\n## Next ##", "Title\nNext"),
        ("one\\\ntwo", "one\ntwo"),
        ("$E = mc^2$, \\(a^2\\), \\[b_1\\]", "E = mc², a², b1"),
        ("$$\n\\frac{a}{b} \\cdot \\pi\n$$\nEnd", "a / b · π\nEnd"),
        ("$\\Delta x^{k} \\neq \\sqrt{2} \\foo$", "Δ x^k ≠ √2 foo"),
        ("$5 and $6, $5-$6", "$5 and $6, $5-$6"),
        ("==new== and a == b", "new and a == b"),
        ("[Anna]: Hello", "[Anna]: Hello"),
        ("\\*literal\\*", "*literal*"),
        ("\x1b[1;31mred\x1b[0m and\x00 \x07blue\x7f", "red and blue"),
        ("\x1b[32mOn.\x1b[0m It is 21 °C. \x1b[K", "On. It is 21 °C. "),
    ],
)
def test_markup_is_removed(reply: str, spoken: str | None) -> None:
    assert speakable(reply) == (
        "Bold, italic, bold, italic, both" if spoken is None else spoken
    )


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        ("It is warm. It ra", ["It is warm. ", "It ra"]),
        ("It is **warm! Re", ["It is warm! ", "Re"]),
        ("See [the docs. Now](https://a.b/) or", ["See the docs. Now or"]),
        ("Run `a. B` or $a. B^2$ now. Yes", ["Run a. B or a. B² now. ", "Yes"]),
        ("A line\n- item\n", ["A line\n", "item\n"]),
        ("Außen 22,1 °C. 45 % und 12 km/h", ["Außen 22,1 °C. 45 % und 12 km/h"]),
        (
            "Am 21. Mai, z. B. um ca. zwei. Ja",
            ["Am 21. Mai, z. B. um ca. zwei. ", "Ja"],
        ),
        ("暖かいです。「はい。」次", ["暖かいです。", "「はい。」", "次"]),
        ("गर्म है। हाँ", ["गर्म है। ", "हाँ"]),
        ("Wort, " * 60, ["Wort, " * 49, "Wort, " * 11]),
        ("x" * 2500, ["x" * 2400, "x" * 100]),
        ("[a " * 200, ["[a " * 200]),
    ],
)
def test_whole_sentences_are_spoken(reply: str, sentences: list[str]) -> None:
    speech = SpeechText()
    spoken = [*map(speech.feed, reply), speech.finish()]
    assert [sentence for sentence in spoken if sentence] == sentences


UNITS = st.sampled_from(["°C", " °C", "\u00a0%", " km/h", " Grad", "kWh"])
NUMBERS = st.from_regex(r"[-+\u2212]?[0-9]{1,3}([.,][0-9]{1,2})?", fullmatch=True)


@given(st.lists(st.tuples(NUMBERS, UNITS), min_size=1, max_size=60))
def test_no_sentence_ends_within_a_quantity(quantities: list[tuple[str, str]]) -> None:
    reply = "".join(f"Es sind {number}{unit}, " for number, unit in quantities)
    speech = SpeechText()
    spoken = [*map(speech.feed, reply), speech.finish()]
    ends = {len("".join(spoken[:count])) for count in range(len(spoken))}
    start = 0
    for number, unit in quantities:
        start += len("Es sind ")
        assert not ends & set(range(start + 1, start + len(number + unit)))
        start += len(number + unit) + len(", ")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [("a == b", "a == b"), ("x==y", "x==y"), ("==marked==", "marked")],
)
def test_equals_signs_are_markup_only_around_words(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@pytest.mark.parametrize(
    ("held", "flushed"),
    [
        ("It is warm.", "It is warm. "),
        ("Is it **warm**?", "Is it warm? "),
        ("暖かいです。", "暖かいです。 "),
        ("Look at this [link](http", ""),
        ("It is", ""),
        ("On the 3.", ""),
        ("z. B.", ""),
        ("", ""),
        ("```\nx.", ""),
    ],
)
def test_a_sentence_that_seems_whole_can_be_spoken(held: str, flushed: str) -> None:
    speech = SpeechText()

    assert speech.feed(held) + speech.flush() == flushed
    assert speech.flush() == ""
    if flushed:
        assert speech.feed(" It is cold") + speech.finish() == " It is cold"


@pytest.mark.parametrize(
    ("held", "start", "rest"),
    [
        ("The hall is warm, and the ba", "The hall is warm, ", "and the bath."),
        ("The hall and the kitchen are", "The hall and the kitchen ", "are warm."),
        ("It is warm, but", "", "It is warm, but cold."),
        ("The sensors say 22 ", "", "The sensors say 22 °C."),
        ("```\nThe hall is warm, and the ba", "", ""),
        ("The **hall and kitchen, [so far](h", "The hall and kitchen, ", "so far."),
    ],
)
def test_a_sentence_is_cut_at_a_clause_or_word(
    held: str, start: str, rest: str
) -> None:
    speech = SpeechText()
    speech.feed(held)

    assert speech.cut(16) == start
    ends = {"ba": "th.", "are": " warm.", "but": " cold.", "22 ": "°C.", "(h": "ttp)."}
    for tail, end in ends.items():
        if held.endswith(tail):
            assert speech.feed(end) + speech.finish() == rest
