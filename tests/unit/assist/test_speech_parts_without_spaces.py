"""Parts of texts in scripts without spaces."""

import pytest

from custom_components.clawd.assist.speech_parts import MAX_PART

from .test_speech_parts import parts_of


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("这是第一句。这是第二句。这是第三句。", "这是第一句。"),
        ("「はい。」と言った。次です。", "「はい。」"),
        ("真的吗\uff1f\uff01好的。", "真的吗\uff1f\uff01"),
    ],
)
async def test_the_first_sentence_comes_alone(text: str, first: str) -> None:
    parts = [part for part, _ in await parts_of(text)]
    assert parts[0] == first
    assert "".join(parts).replace(" ", "") == text


async def test_a_long_text_is_split_at_sentences() -> None:
    parts = [part for part, _ in await parts_of("这是第一句\uff0c很长。" * 300)]
    assert all(part.endswith("长。") for part in parts)
    assert MAX_PART / 2 < max(map(len, parts)) <= MAX_PART
