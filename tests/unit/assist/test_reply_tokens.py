"""Tool calls and tokens written as text."""

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.assist.reply import ReplyFilter

from .test_reply import cut, filtered

PIECES = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "<tool_call>\n", "{", "}", "[", '"a": 1'),
        *("<function_calls>", '<invoke name="x">', "</invoke>", "</function_calls>"),
        *("<|", "|>", "<|channel|>", "analysis", "final", "commentary", "<|message|>"),
        *("<|start|>", "assistant", "<|end|>", "<\uff5cend\uff5c>", "<|im_end|>", "|"),
        *("<think>", "</think>", "<", ">", "a", "b ", "\n", "`", "```", ".", "é"),
    ]
)
INVOKE = '<invoke name="x"><parameter>1</parameter></invoke>'
ANALYSIS = "<|channel|>analysis<|message|>"
COMMENTARY = "<|channel|>commentary to=functions.x <|constrain|>json<|message|>"
FINAL = "<|channel|>final<|message|>"
REPLIES = st.lists(PIECES, max_size=20).map("".join)


@given(REPLIES, st.lists(st.integers(0, 1000)))
def test_any_chunking_gives_the_same_reply(reply: str, places: list[int]) -> None:
    assert filtered(cut(reply, places)) == filtered([reply])
    assert filtered(list(reply)) == filtered([reply])


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ('<tool_call>{"name":"x"}</tool_call> Done.', "Done."),
        ('Look. <TOOL_CALL id="1">\n{"a": 1}\n</tool_call>\nDone.', "Look. \nDone."),
        ("<minimax:tool_call><x>1</x></minimax:tool_call>Done.", "Done."),
        (f"<function_calls>\n{INVOKE}\n</function_calls>\nDone.", "Done."),
        ("<tool_result>[1]</tool_result>Done.", "Done."),
        ("The tag <tool_call> starts a call.", None),
        ("Write `<tool_call>{}</tool_call>`.", None),
        ("```\n<tool_call>{}</tool_call>\n```", None),
        ("<think>Use <tool_call>{}</tool_call> now</think>Done.", "Done."),
    ],
)
def test_tool_calls_are_taken_out(reply: str, shown: str | None) -> None:
    assert filtered(list(reply)) == (reply if shown is None else shown)


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (f"{ANALYSIS}a<|end|><|start|>assistant{FINAL}Done.<|return|>", "Done."),
        (f"{COMMENTARY}{{}}<|call|>{FINAL}Done.", "Done."),
        (f"{ANALYSIS}a{FINAL}Done.", "Done."),
        ("<|im_start|>assistant\nDone.<|im_end|>", "Done."),
        ("Done.<\uff5cend\u2581of\u2581sentence\uff5c>", "Done."),
        ("Done.<|eot_id|>", "Done."),
        ("if a <| b then c |> d", None),
        ("f <|> g, a <|b", None),
        ("Write `<|im_end|>`.", None),
    ],
)
def test_special_tokens_are_taken_out(reply: str, shown: str | None) -> None:
    assert filtered(list(reply)) == (reply if shown is None else shown)


@pytest.mark.parametrize("reply", ["<tool_call>{", "<|channel|>analysis<|message|>a"])
def test_a_call_or_an_analysis_that_never_ends_is_seen(reply: str) -> None:
    reply_filter = ReplyFilter()
    assert reply_filter.feed(reply) + reply_filter.finish() == ""
    assert reply_filter.thinking
