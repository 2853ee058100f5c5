"""Short replies in which one word decides."""

import pytest

from custom_components.clawd.assist.questions import is_question


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("然后呢", "zh"),
        ("卧室呢。", "zh"),
        ("现在呢", "zh"),
        ("还有呢", "zh"),
        ("不然呢", "zh"),
        ("在哪呢", "zh"),
        ("계속하시겠어요", "ko"),
        ("끄시겠어요.", "ko"),
        ("Which room? Kitchen, bath or hall.", "en"),
        ("Which color? Red, green, blue, or white.", "en"),
        ("Welcher Raum? Küche, Bad oder Flur", "de"),
        ("Which one? A / B / C", "en"),
        ("Shall I?\n\n> Yes\n> No", "en"),
    ],
)
def test_a_question_is_one(reply: str, language: str) -> None:
    assert is_question(reply, language)


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("正在关灯呢。", "zh"),
        ("在关灯呢", "zh"),
        ("…在关灯呢", "zh"),
        ("好的呢。", "zh"),
        ("好呢", "zh"),
        ("是的呢。", "zh"),
        ("对呢", "zh"),
        ("没有呢。", "zh"),
        ("还没呢。", "zh"),
        ("不是呢", "zh"),
        ("可以呢。", "zh"),
        ("灯开着呢。", "zh"),
        ("모르겠어요.", "ko"),
        ("Is it on? Red, green and blue are.", "en"),
        ("Is it on? No, it is off, or broken.", "en"),
        ("Is it?\n\n> Yes, it is.\n\nSo it is.", "en"),
    ],
)
def test_a_statement_is_none(reply: str, language: str) -> None:
    assert not is_question(reply, language)
