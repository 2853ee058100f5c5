"""Reply text assembled from events and final response."""

from typing import Any

import pytest

from custom_components.clawd.gateway.runs.text import SEPARATOR, ReplyText


def feed(reply: ReplyText, *events: dict[str, Any]) -> str:
    """Feed events and return the emitted text."""
    return "".join(reply.feed(event) for event in events)


def v3(text: str, delta: str) -> dict[str, Any]:
    return {"text": text, "delta": delta}


def v4(item: str, text: str, **more: object) -> dict[str, Any]:
    return {"text": text, "delta": text, "itemId": item, **more}


@pytest.fixture
def reply() -> ReplyText:
    return ReplyText()


def test_cumulative_text_is_emitted_once(reply: ReplyText) -> None:
    emitted = [reply.feed(v3("Hel", "Hel")), reply.feed(v3("Hello", "lo"))]
    assert emitted == ["Hel", "lo"]
    assert reply.text == "Hello"


def test_empty_update_emits_nothing(reply: ReplyText) -> None:
    assert feed(reply, v3("", ""), v3("Hi", "Hi"), v3("Hi", "")) == "Hi"
    assert reply.text == "Hi"


@pytest.mark.parametrize("data", [{}, {"text": None}, {"text": 7}, {"delta": "x"}])
def test_update_without_text_is_ignored(reply: ReplyText, data: dict[str, Any]) -> None:
    assert feed(reply, v3("Hi", "Hi"), data) == "Hi"
    assert reply.text == "Hi"


@pytest.mark.parametrize("second", ["Done.", "Look", "Looking"])
def test_restarted_v3_text_is_new_paragraph(reply: ReplyText, second: str) -> None:
    emitted = feed(reply, v3("Look", "Look"), v3(second, second))
    assert emitted == reply.text == f"Look\n\n{second}"


def test_unrelated_v3_text_is_new_paragraph(reply: ReplyText) -> None:
    emitted = feed(reply, v3("Looking", "Looking"), v3("It is on", " on"))
    assert emitted == reply.text == "Looking\n\nIt is on"


@pytest.mark.parametrize("second", ["Done.", "Look", "Looking"])
def test_new_item_is_new_paragraph(reply: ReplyText, second: str) -> None:
    emitted = feed(reply, v4("a:1", "Look"), v4("a:2", second))
    assert emitted == reply.text == f"Look\n\n{second}"


def test_replacement_is_emitted_as_paragraph(reply: ReplyText) -> None:
    emitted = feed(reply, v4("a", "It is of"), v4("a", "The lamp is on", replace=True))
    assert emitted == "It is of\n\nThe lamp is on"
    assert reply.text == "The lamp is on"


def test_continuing_replacement_emits_only_rest(reply: ReplyText) -> None:
    emitted = feed(
        reply,
        v4("a", "The lamp"),
        v4("a", "", replace=True),
        v4("b", "The"),
        v4("b", "The lamp is on"),
    )
    assert emitted == reply.text == "The lamp is on"


def test_text_without_items_can_be_replaced(reply: ReplyText) -> None:
    emitted = feed(reply, v3("One", "One"), {"text": "Two", "replace": True})
    assert emitted == "One\n\nTwo"
    assert reply.text == "Two"


def test_failed_item_keeps_earlier_items(reply: ReplyText) -> None:
    feed(
        reply,
        v4("a:1", "Let me look."),
        v4("a:2", "", replace=True),
        v4("b:1", "It is on."),
    )
    assert reply.text == "Let me look.\n\nIt is on."


def test_v3_retry_drops_attempt(reply: ReplyText) -> None:
    emitted = feed(reply, v3("Hel", "Hel"))
    reply.drop_attempt()
    emitted += feed(reply, v3("Good", "Good"), v3("Good day", " day"))
    assert emitted == "Hel\n\nGood day"
    assert reply.text == "Good day"


def test_v4_retry_drops_nothing(reply: ReplyText) -> None:
    feed(reply, v4("a:1", "Let me look."))
    reply.drop_attempt()
    feed(reply, v4("b:1", "It is on."))
    assert reply.text == "Let me look.\n\nIt is on."


def test_retry_before_text_is_harmless(reply: ReplyText) -> None:
    reply.drop_attempt()
    assert reply.text == ""


@pytest.mark.parametrize("received", ["", "It i", "It is on."])
def test_final_text_completes_events(reply: ReplyText, received: str) -> None:
    emitted = feed(reply, v4("a", received)) + reply.finish(["It is on."])
    assert emitted == reply.text == "It is on."


def test_final_text_of_v3_retry_continues_emitted_text(
    reply: ReplyText,
) -> None:
    emitted = feed(reply, v3("It i", "It i"))
    reply.drop_attempt()
    emitted += reply.finish(["It is on."])
    assert emitted == reply.text == "It is on."


@pytest.mark.parametrize("seen", [[], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "c"]])
def test_missed_v3_segments_are_added_at_end(reply: ReplyText, seen: list[str]) -> None:
    feed(reply, *(v3(text, text) for text in seen))
    reply.finish(["a", "b", "c"])
    assert reply.text == "a\n\nb\n\nc"


@pytest.mark.parametrize("seen", [[], ["a"], ["a", "b"]])
def test_missed_v3_segments_are_emitted_at_end(
    reply: ReplyText, seen: list[str]
) -> None:
    emitted = feed(reply, *(v3(text, text) for text in seen))
    emitted += reply.finish(["a", "b", "c"])
    assert emitted == "a\n\nb\n\nc"


@pytest.mark.parametrize("seen", [["a"], ["a", "b"]])
def test_missed_last_v4_segment_is_emitted_at_end(
    reply: ReplyText, seen: list[str]
) -> None:
    emitted = feed(reply, *(v4(text, text) for text in seen))
    emitted += reply.finish(["z"])
    assert emitted == reply.text == SEPARATOR.join([*seen, "z"])


def test_trimmed_final_text_is_not_emitted_again(
    reply: ReplyText,
) -> None:
    assert feed(reply, v4("a", "It is on. \n")) == "It is on. \n"
    assert reply.finish(["It is on."]) == ""
    assert reply.text == "It is on."


def test_empty_segment_is_dropped(reply: ReplyText) -> None:
    emitted = feed(reply, v3("It is on.", "It is on."), v3("", ""))
    emitted += reply.finish(["It is on."])
    assert emitted == reply.text == "It is on."


def test_text_of_events_is_kept_without_final_text(reply: ReplyText) -> None:
    feed(reply, v4("a", "It is on."))
    assert reply.finish([]) == ""
    assert reply.text == "It is on."


def test_closed_segment_without_events_is_emitted(reply: ReplyText) -> None:
    emitted = reply.close_segment("One.")
    emitted += feed(reply, v4("a:2", "Two."))
    assert emitted == reply.text == "One.\n\nTwo."


def test_closed_segment_emits_missing_text(reply: ReplyText) -> None:
    emitted = feed(reply, v4("a:1", "On"))
    emitted += reply.close_segment("One.") + feed(reply, v4("a:2", "Two."))
    assert emitted == reply.text == "One.\n\nTwo."


def test_closed_segment_is_not_emitted_again(reply: ReplyText) -> None:
    emitted = feed(reply, v4("a:1", "One. "))
    emitted += reply.close_segment("One.") + feed(reply, v4("a:2", "Two."))
    assert emitted == "One. \n\nTwo."


def test_other_segment_is_closed_after_open_one(reply: ReplyText) -> None:
    emitted = feed(reply, v4("a:1", "One.")) + reply.close_segment("Two.")
    emitted += feed(reply, v4("a:3", "Three."))
    assert emitted == reply.text == "One.\n\nTwo.\n\nThree."


def test_late_events_of_closed_segment_emit_nothing(
    reply: ReplyText,
) -> None:
    emitted = reply.close_segment("One.")
    emitted += feed(reply, v4("a:1", "On"), v4("a:1", "One."), v4("a:2", "Two."))
    assert emitted == reply.text == "One.\n\nTwo."


def test_text_of_earlier_segment_may_be_repeated(reply: ReplyText) -> None:
    emitted = reply.close_segment("One.")
    emitted += feed(reply, v4("a:2", "Two."), v4("a:3", "One."))
    assert emitted == reply.text == "One.\n\nTwo.\n\nOne."


@pytest.mark.parametrize("start", ["L", "Let", "Let me"])
def test_segment_with_prefix_of_closed_one_is_separate(
    reply: ReplyText, start: str
) -> None:
    emitted = reply.close_segment("Let me look.")
    emitted += feed(reply, v4("a:2", start), v4("a:2", f"{start}ter"))
    assert emitted == reply.text == f"Let me look.\n\n{start}ter"


def test_retry_keeps_closed_segments(reply: ReplyText) -> None:
    emitted = reply.close_segment("Let me look.")
    emitted += feed(reply, v4("a:2", "", replace=True))
    reply.drop_attempt()
    emitted += feed(reply, v4("b:1", "It is on."))
    assert emitted == reply.text == "Let me look.\n\nIt is on."


def test_new_item_that_continues_text_is_new_paragraph(
    reply: ReplyText,
) -> None:
    feed(reply, v4("a", "It is"))
    assert reply.feed(v4("b", "It is on.", delta=" on.")) == f"{SEPARATOR}It is on."


def test_event_of_closed_segment_may_end_with_space(reply: ReplyText) -> None:
    feed(reply, v4("a", "It is on"))
    reply.close_segment("It is on.")
    assert reply.feed(v4("a", "It is on. ", delta=" ")) == ""


def test_retry_missing_in_history_starts_segment(
    reply: ReplyText,
) -> None:
    feed(reply, v3("It", "It"))
    reply.drop_attempt()
    reply.replay_history(())
    assert reply.feed(v3("It is", " is")) == f"{SEPARATOR}It is"
