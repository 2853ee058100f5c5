"""Filter for model output."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.reply import ReplyFilter

PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<thinking>", "</ mm:think >", "<final>", "</final>"),
        *("<", ">", "/", "think", "<b>", "</b>", "[THINK]", "[/THINK]", "◁think▷"),
        *("[[", "]]", "[", "]", "reply_to_current", "reply_to:1", "tts:text", "/tts"),
        *("[[reply_to_current]]", "[[tts:text]]", "[[/tts:text]]", "[[a: b]]", "x: y"),
        *("[embed ", "[embed a=b]", "[view", "x=", "— ", "HEARTBEAT_OK: "),
        *("MEDIA:", "MEDIA:/a.png", "MEDIA: https://e.example/a", "/a", ".png", "M"),
        *("HEARTBEAT_OK", "NO_REPLY", "NO", "H", "**", "(", ")", "**NO_REPLY**"),
        *("`", "``", "```", "~~~", "~", "\n", "\n\n", "    ", " ", "\t", "- ", "> "),
        *(".", "!", "…", "。", '"', "a", "b ", "1", "é", "中", "\u200b"),
    ]
)
REPLIES = st.lists(PIECES, max_size=20).map("".join)


def filtered(chunks: list[str]) -> str:
    reply = ReplyFilter()
    return "".join([*map(reply.feed, chunks), reply.finish()])


def cut(text: str, places: list[int]) -> list[str]:
    borders = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(borders)]


@given(REPLIES, st.lists(st.integers(0, 1000)))
def test_any_chunking_gives_the_same_reply(reply: str, places: list[int]) -> None:
    assert filtered(cut(reply, places)) == filtered([reply])
    assert filtered(list(reply)) == filtered([reply])


@given(REPLIES, REPLIES)
def test_a_tool_call_between_two_segments_changes_nothing(
    first: str, second: str
) -> None:
    reply = ReplyFilter()
    shown = [reply.feed(first), reply.end_segment(), reply.end_segment()]
    shown += [reply.feed(f"\n\n{second}"), reply.finish()]
    assert "".join(shown) == filtered([f"{first}\n\n{second}"])


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("<think>The user wants…</think>\n\nDie Lampe ist an.", "Die Lampe ist an."),
        ("<THINKING x='1'>a\n\nb</Thinking>Yes", "Yes"),
        ("<mm:think>a</mm:think>Yes", "Yes"),
        ("[THINK]a[/THINK]Yes", "Yes"),
        ("◁think▷a◁/think▷Yes", "Yes"),
        ("Yes <thought>a <b</thought> and no", "Yes and no"),
        ("<think/>Yes</think>", "Yes"),
        ("<final>Yes</final>", "Yes"),
        ("I think <b>so</b>: 1 < 2", "I think <b>so</b>: 1 < 2"),
    ],
)
def test_thoughts_are_taken_out(reply: str, shown: str) -> None:
    assert filtered(list(reply)) == shown


@pytest.mark.parametrize("reply", ["<think>a", "Yes. <think>a</thin", "[THINK]"])
def test_a_thought_that_never_ends_is_seen(reply: str) -> None:
    filtered = ReplyFilter()
    shown = filtered.feed(reply) + filtered.finish()
    assert filtered.thinking
    assert "a" not in shown


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("[[reply_to_current]] Die Tür ist zu.", "Die Tür ist zu."),
        ("[[ Reply_To: 123 ]]\nYes", "Yes"),
        ("Yes.\n[[audio_as_voice]]\nNo.", "Yes.\nNo."),
        ("Yes [[tts:voice=a speed=1.1]] and no", "Yes and no"),
        ("Which?\n[[quick_replies: A, B]]", "Which?\n"),
        ("Yes.[[tts:text]](laughs) Hm[[/tts:text]]", "Yes."),
        ("[[tts:text]]Only heard.[[/tts:text]]", "Only heard."),
        ("See [[Kitchen]], [[kitchen]], [[1,2]], [a] and x[[0]].", None),
        ('Here.\n[embed ref="cv_1" title="Status" /]', "Here.\n"),
        ("A [view of the sea] and [embed", None),
        ("[[reply_to_current", None),
        ("MEDIA:/home/claw/a.png\nHere.", "Here."),
        ("Here.\n  MEDIA: `./my cat.png`\nBye.", "Here.\nBye."),
        ("MEDIA:https://e.example/a.png A cat", "A cat"),
        ("Here.\nMEDIA:cat.png", "Here.\n"),
        ("MEDIA: the press", None),
        ("My MEDIA:/a.png", None),
    ],
)
def test_directives_are_taken_out(reply: str, shown: str | None) -> None:
    assert filtered(list(reply)) == (reply if shown is None else shown)


@pytest.mark.parametrize(
    "reply",
    [
        "```\n[[reply_to_current]]\nMEDIA:/a.png\n<think>\nNO_REPLY\n```\nEnd",
        "- ```py\n  MEDIA:/a.png\n  ```",
        "> ~~~\n> a\n~~~\n<think>\nMEDIA:/a.png\n~~~",
        "Write:\n\n    MEDIA:/a.png\n    [[reply_to_current]]\n\n    <think>",
        "Write `[[reply_to_current]]`, ``<think> ` ``, `NO_REPLY`.",
        "````\n```\n<think>\n````",
    ],
)
def test_code_keeps_them(reply: str) -> None:
    assert filtered(list(reply)) == reply


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("HEARTBEAT_OK", ""),
        (" **NO_REPLY**. ", ""),
        ("<b>HEARTBEAT_OK</b> 👍", ""),
        ("ANNOUNCE_SKIP", ""),
        ("HEARTBEAT_OK\n\nAll is well.", "All is well."),
        ("All is well.\n\nNO_REPLY\n", "All is well.\n\n"),
        ("All is well. NO_REPLY", "All is well. "),
        ('"All is well." NO_REPLY', '"All is well." '),
        ("HEARTBEAT_OK — all is well.", "all is well."),
        ("**HEARTBEAT_OK:** All is well.", "All is well."),
        ("All is well — NO_REPLY", "All is well — "),
        ("NO_REPLY is a word.", None),
        ("Say NO_REPLY", None),
        ("Hm. NO_REPLY or not", None),
        ("NO", None),
    ],
)
def test_a_sentinel_is_taken_out(reply: str, shown: str | None) -> None:
    filtered = ReplyFilter()
    text = "".join([*map(filtered.feed, reply), filtered.finish()])
    assert text == (reply if shown is None else shown)
    assert filtered.silent is (shown is not None)


@pytest.mark.parametrize("reply", ["", ".", " — ", "…\n", "\u200b", "**", "👍", "---"])
def test_without_a_letter_or_a_digit_there_is_no_reply(reply: str) -> None:
    assert filtered(list(reply)) == ""


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("\n \n  Yes", "Yes"),
        ("\u200bYes", "Yes"),
        ("**Yes**", "**Yes**"),
        ("    code", "    code"),
    ],
)
def test_blanks_before_a_reply_are_taken_out(reply: str, shown: str) -> None:
    assert filtered(list(reply)) == shown


def test_text_passes_at_once() -> None:
    reply = ReplyFilter()
    assert [reply.feed(chunk) for chunk in ("It is ", "warm. ", "Now", "")] == [
        "It is ",
        "warm. ",
        "Now",
        "",
    ]
