"""Surrogate pairs split between events."""

from itertools import pairwise
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.gateway.protocol.frames import (
    Event,
    decode_frame,
    repair_json,
)
from custom_components.clawd.gateway.runs.text import ReplyText

TEXTS = st.text(
    st.sampled_from("ab \n\U0001f600\U0001f44b\u00e9\ufffd"), min_size=1, max_size=12
)


def halves(text: str) -> str:
    """Return a text in units of UTF-16, as Node sees it."""
    units = text.encode("utf-16-le")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(chr(int.from_bytes(pair, "little")) for pair in pairs)


def received(text: str, delta: str, **more: object) -> dict[str, Any]:
    """Return the data of an event as the client reads it."""
    payload = {"text": text, "delta": delta, **more}
    data = json.dumps({"type": "event", "event": "agent", "payload": payload})
    frame = decode_frame(repair_json(data.encode()))
    assert isinstance(frame, Event)
    return frame.payload


def stream(text: str, positions: list[int], **more: object) -> list[str]:
    """Return the emitted texts of a reply that is cut at some units."""
    units, reply = halves(text), ReplyText()
    bounds = sorted({0, len(units), *(at % len(units) for at in positions)})
    events = (
        received(units[:end], units[start:end], **more)
        for start, end in pairwise(bounds)
    )
    return [*map(reply.feed, events), reply.finish([text])]


@pytest.mark.parametrize("more", [{}, {"itemId": "a:1"}])
def test_a_character_split_over_events_is_emitted_once(more: dict[str, str]) -> None:
    emitted = stream("Hi \U0001f44b!", [3, 4, 5], **more)
    assert emitted == ["Hi ", "", "\U0001f44b", "!", ""]


@given(TEXTS.filter(str.strip), st.lists(st.integers(0, 99)))
def test_no_chunking_splits_a_character(text: str, positions: list[int]) -> None:
    assert "".join(stream(text, positions)) == text
    assert "".join(stream(text, positions, itemId="a:1")) == text


def test_half_a_character_that_starts_a_segment_starts_it_once() -> None:
    reply = ReplyText()
    events = [
        received("Look.", "Look."),
        received("\ud83d", "\ud83d"),
        received("\ud83d\udc4b Hi", "\udc4b Hi"),
    ]
    assert "".join(map(reply.feed, events)) == "Look.\n\n\U0001f44b Hi"


def test_half_a_character_at_the_end_is_replaced() -> None:
    assert stream("Hi \ufffd", [3]) == ["Hi ", "", "\ufffd"]


def test_a_text_without_a_delta_is_read() -> None:
    reply = ReplyText()
    assert reply.feed({"text": "Hi \ufffd"}) == "Hi "
