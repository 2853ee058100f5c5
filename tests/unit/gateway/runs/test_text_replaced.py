"""Text removed from a reply."""

from typing import Any

import pytest

from custom_components.clawd.gateway.runs.text import ReplyText


def v4(text: str, **more: object) -> dict[str, Any]:
    return {"text": text, "delta": text, "itemId": "a:1", **more}


def replaced(text: str) -> dict[str, Any]:
    return v4(text, delta="", replace=True)


@pytest.mark.parametrize(
    ("streamed", "left"),
    [
        ('<tool_call>{"name":"x"}</tool_call> It is on.', "It is on."),
        ('It <tool_call>{"a": 1}</tool_call> is on.', "It  is on."),
        ('It is on.<tool_call>{"a": 1}</tool_call>', "It is on."),
        ("<|channel|>analysis<|message|>It is on.<|end|>", "analysis It is on."),
        ("<\uff5cend\u2581of\u2581turn\uff5c>It is on.", "It is on."),
        ("<tool_call>[1]</tool_call>灯亮了。", "灯亮了。"),
    ],
)
def test_what_is_left_is_told_once(streamed: str, left: str) -> None:
    reply = ReplyText()
    assert reply.feed(v4(streamed)) == streamed
    assert reply.feed(replaced(left)) == ""
    assert reply.text == left
    assert reply.feed(v4(f"{left} And bright.")) == " And bright."
    assert reply.finish([f"{left} And bright."]) == ""


@pytest.mark.parametrize(
    "left", ["It is off.", "on, it is", "is on. Or not.", "It is one"]
)
def test_what_is_new_is_told(left: str) -> None:
    reply = ReplyText()
    reply.feed(v4("Yes. It is on."))
    assert reply.feed(replaced(left)) == f"\n\n{left}"


def test_only_a_replacement_may_leave_something_out() -> None:
    reply = ReplyText()
    reply.feed(v4("Yes. It is on."))
    assert reply.feed(v4("It is on.")) == "\n\nIt is on."


def test_a_reply_that_is_taken_back_whole_starts_again() -> None:
    reply = ReplyText()
    reply.feed(v4("NO_REPLY"))
    assert reply.feed(replaced("")) == ""
    assert reply.feed(v4("It is on.")) == "\n\nIt is on."
