"""Playback estimate."""

import asyncio
from typing import Final
import unicodedata

# Characters a second of a fast voice: the usual 150 to 180 words a minute are 13 to 17.
# A slower player only has more left than estimated.
_RATE: Final = 20.0
# Chinese, Japanese and Korean: a character is about a syllable.
_WIDE_RATE: Final = 7.0


def spoken_seconds(text: str) -> float:
    """Return the minimum speaking time of a text."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return (len(text) - wide) / _RATE + wide / _WIDE_RATE


class Playback:
    """Playback of consecutive texts.

    Attributes:
        ends_at: time of the event loop's clock at which it has nothing left to say;
            None before it has begun.

    """

    def __init__(self) -> None:
        """Initialize without text."""
        self.ends_at: float | None = None

    def add(self, text: str) -> None:
        """Add a text to the playback."""
        now = asyncio.get_running_loop().time()
        self.ends_at = max(now, self.ends_at or 0.0) + spoken_seconds(text)
