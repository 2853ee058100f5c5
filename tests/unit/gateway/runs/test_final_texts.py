"""Final texts with joined segments."""

from collections.abc import Iterator

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.gateway.runs.text import ReplyText

WORDS = st.text("abc", min_size=1, max_size=4)
BLANKS = st.sampled_from(["", " ", "\n", "\n\n", "\t", " \n ", "\u00a0", "\u2003"])
# A segment: words with something between them.
SEGMENTS = st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=5)


def squeezed(*texts: str) -> str:
    return "".join("".join(texts).split())


def streamed(reply: ReplyText, segments: list[str], *, v4: bool) -> str:
    """Feed segments and return the emitted text."""
    return "".join(
        reply.feed(event)
        for number, segment in enumerate(segments)
        for event in cumulated(segment, {"itemId": str(number)} if v4 else {})
    )


def cumulated(segment: str, more: dict[str, str]) -> Iterator[dict[str, str]]:
    half = len(segment) // 2 or 1
    yield {"text": segment[:half], "delta": segment[:half], **more}
    if segment[half:]:
        yield {"text": segment, "delta": segment[half:], **more}


@st.composite
def regrouped(draw: st.DrawFn, segments: list[list[str]]) -> list[str]:
    """Return the texts of a final response: joined and spaced in another way."""
    texts = [""]
    for words in segments:
        text = "".join(draw(BLANKS) + word + draw(BLANKS) for word in words)
        if draw(st.booleans()):
            texts.append(text)
        else:
            texts[-1] += text
    return [text for text in texts if text]


@given(st.data(), SEGMENTS, st.booleans(), st.integers(0, 4))
def test_a_reply_is_told_once_however_the_end_joins_it(
    data: st.DataObject,
    segments: list[list[str]],
    v4: bool,  # noqa: FBT001 - drawn by position
    first: int,
) -> None:
    reply = ReplyText()
    texts = [data.draw(BLANKS).join(words) for words in segments]
    told = streamed(reply, texts, v4=v4)
    # v3's final response has every segment, v4's the last one.
    first = min(first, len(segments) - 1) if v4 else 0
    final = data.draw(regrouped(segments[first:]))
    assert reply.finish(final) == ""
    assert squeezed(told) == squeezed(*texts)
    assert squeezed(reply.text) == squeezed(*texts)


@given(st.data(), SEGMENTS, SEGMENTS)
def test_what_is_missing_at_the_end_is_told_once(
    data: st.DataObject, segments: list[list[str]], missed: list[list[str]]
) -> None:
    reply = ReplyText()
    texts = [data.draw(BLANKS).join(words) for words in segments]
    told = streamed(reply, texts, v4=True)
    told += reply.finish(data.draw(regrouped([*segments, *missed])))
    whole = squeezed(*texts, *("".join(words) for words in missed))
    assert squeezed(told) == squeezed(reply.text) == whole


@pytest.mark.parametrize(
    ("segments", "texts", "new"),
    [
        (["A b.", "C d."], ["A b.\nC d."], ""),
        (["A b.", "C d."], ["A b.C d."], ""),
        (["A b.", "C d."], ["A b. C d. E"], " E"),
        (["A b. ", "C d. "], ["A b. C d. E"], "E"),
        (["A b.", "C"], ["A b.", "C d.", "E"], " d.\n\nE"),
        (["A b.", "C d."], ["A  b.", "C\nd."], ""),
        (["A b.", "C d."], ["C d.", "E"], "\n\nE"),
        (["A b."], ["Z"], "\n\nZ"),
        ([], ["A b.\nC d."], "A b.\nC d."),
        (["A b."], [], ""),
        (["A b.", "C d."], ["C  d"], ""),
    ],
)
def test_the_end_tells_what_is_new(
    segments: list[str], texts: list[str], new: str
) -> None:
    reply = ReplyText()
    streamed(reply, segments, v4=True)
    assert reply.finish(texts) == new


def test_a_long_reply_is_not_told_twice() -> None:
    reply, segments = (
        ReplyText(),
        [f"Segment {number} is here." for number in range(999)],
    )
    told = streamed(reply, segments, v4=True)
    assert reply.finish([" ".join(segments)]) == ""
    assert reply.text == " ".join(segments)
    assert len(told) == sum(map(len, segments)) + 2 * 998


@pytest.mark.parametrize("text", ["It  is", "It is", "It\nis on.", "is"])
def test_an_ended_segment_is_told_once(text: str) -> None:
    reply = ReplyText()
    told = streamed(reply, ["It is"], v4=True)
    told += reply.close_segment(text)
    assert squeezed(told) in {"Itis", "Itison."}


def test_a_history_that_joins_segments_is_told_once() -> None:
    reply = ReplyText()
    told = streamed(reply, ["A b.", "C d."], v4=True)
    told += reply.replay_history(("A b.",))
    told += reply.replay_history(("A b.\nC d. E",))
    assert told == "A b.\n\nC d. E"


@pytest.mark.parametrize(
    ("before", "rest"), [("Two: ", "\n- a"), ("Two:\n", "\n- a"), ("Two:", " \n- a")]
)
def test_line_breaks_of_the_rest_are_kept(before: str, rest: str) -> None:
    reply = ReplyText()
    reply.feed({"text": before, "itemId": "1"})

    assert reply.finish([before + rest]) == rest
