"""Parts of a text for text-to-speech."""

import re
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from .reply import has_words
from .speech import SpeechText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator

# Characters of a request. OpenClaw takes 4,096; but these are about a minute of speech,
# which as WAV (48 kHz, stereo) are 17 of the 26 MB that its answer may have.
MAX_PART: Final = 1000

# Chinese and Japanese have no spaces between words, nor between sentences.
_ENDS: Final = "\u3002\uff01\uff1f"
_CLOSING: Final = "\u300d\u300f\u201d\u2019\uff09"
_WORD: Final = re.compile(
    rf"\s*(?:[^\s{_ENDS}]*[{_ENDS}]+[{_CLOSING}]*|[^\s{_ENDS}]+)|\s+"
)


async def speech_parts(
    texts: AsyncIterable[str],
) -> AsyncGenerator[tuple[str, bool]]:
    """Yield parts, and whether they are all.

    The first sentence is a part by itself, to be heard early; then all available text.
    """
    speech, begun = SpeechText(), False
    async for text in texts:
        sentences = [
            found for word in _WORD.findall(text) if (found := speech.feed(word))
        ]
        for part in _pack(sentences, alone=not begun):
            begun = True
            yield part, False
    rest = [*_pack([speech.finish()], alone=False)]
    for part in rest:
        yield part, not begun and len(rest) == 1


def _pack(sentences: Iterable[str], *, alone: bool) -> Iterator[str]:
    """Yield sentences packed into parts.

    `alone`: the first one is a part by itself.
    """
    part = ""
    for sentence in filter(has_words, sentences):
        for piece in wrap(sentence, MAX_PART):
            if part and (alone or len(part) + len(piece) >= MAX_PART):
                yield part
                part, alone = "", False
            part = f"{part} {piece}".strip()
    if part:
        yield part
