"""Playback estimate."""

import asyncio

import pytest

from custom_components.clawd.assist.playback import Playback, spoken_seconds


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("", 0, 0), ("It is warm in the bath.", 1, 1.6), ("風呂は暖かいです。", 1, 1.6)],
)
def test_a_text_takes_as_long_as_a_fast_voice(
    text: str, least: float, most: float
) -> None:
    assert least <= spoken_seconds(text) <= most


async def test_texts_follow_each_other() -> None:
    playback = Playback()
    assert playback.ends_at is None

    now = asyncio.get_running_loop().time()
    playback.add("x" * 200)
    playback.add("x" * 200)

    assert playback.ends_at == pytest.approx(now + 20, abs=1)
