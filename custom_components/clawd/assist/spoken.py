"""Speech output of a streamed reply.

No event says that a tool will follow a text; v3 does not even say that one has. And
Home Assistant starts to speak once it has more than 60 characters, cannot take them
back, and many a satellite hangs when its player gets nothing for some seconds. So:

1. The text of a segment (between two tools) is held. It is given to the
   player when the run has ended; when it is long (`MIN_SPEECH`); or when it is still
   growing `MAX_HOLD` seconds after its first word. The text before a tool
   ("Let me look") is short, or soon over. That a text no longer grows is no sign of
   its end: the model writes the arguments of its tool.
2. If a tool follows after all, the held text is dropped, unless everything is to be
   spoken: then it is told with the answer.
3. If a tool follows a text that is being spoken, the player is kept going: once it has
   been without words for `MAX_PAUSE` seconds, it gets what is held, else what the
   agent wrote before the tool, else a short sentence of ours, and again for each
   `MAX_PAUSE` seconds until there is more. With the time that a text takes to be
   synthesized, no pause is longer than three seconds.
4. A player with a detector of sentences says the last one only when the next begins.
   A paragraph ends it at once: where a segment ends, and where no sentence follows
   within `FLUSH_TIMEOUT` seconds.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from typing import TYPE_CHECKING, Final, override

from ..const import CONF_SPEECH_CLEANUP, CONF_SPOKEN_PART
from ..sentences import Sentence, async_get_sentence
from .chat_log import ReplyStream
from .playback import Playback
from .reply import has_words
from .speech import SpeechText

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.config_entries import ConfigSubentry
    from homeassistant.core import HomeAssistant

    from ..gateway import AgentRun
    from .chat_log import Delta
    from .question import Question

# Characters, about 16 s of speech: most tools end in that time.
MIN_SPEECH: Final = 240
# Home Assistant's STREAM_RESPONSE_CHARS: with no more, it does not start to speak.
MIN_STREAM: Final = 60
# Characters of an incomplete sentence to prefer over a filler phrase.
MIN_CUT: Final = 20
# Seconds.
MAX_HOLD: Final = 2.0
MAX_PAUSE: Final = 2.5
FLUSH_TIMEOUT: Final = 0.5

PARAGRAPH: Final = "\n\n"
# Filler phrases, spoken in turn while the agent is silent.
PHRASES: Final = (
    Sentence.ONE_MOMENT,
    Sentence.STILL_WORKING,
    Sentence.TAKES_LONGER,
)


class SpokenPart(StrEnum):
    """Spoken part of a reply."""

    ANSWER = "answer"
    EVERYTHING = "everything"


@dataclass(slots=True)
class _Segment:
    """Text between two tools.

    Attributes:
        spoken: its sentences, cleaned for speech.
        started_at: time of the event loop's clock at its first word.
        given: passed to the player, as is its further text.

    """

    speech: SpeechText
    text: str = ""
    spoken: str = ""
    started_at: float | None = None
    given: bool = False


def reply_stream(
    hass: HomeAssistant, subentry: ConfigSubentry, question: Question, run: AgentRun
) -> ReplyStream:
    """Return the stream for a player or chat."""
    if question.voice_device is None:
        return ReplyStream(run)
    settings = subentry.data
    return SpokenReply(
        run,
        hass,
        question.language,
        cleanup=settings[CONF_SPEECH_CLEANUP],
        part=SpokenPart(settings[CONF_SPOKEN_PART]),
    )


class SpokenReply(ReplyStream):
    """Deltas of a reply for a player."""

    def __init__(
        self,
        run: AgentRun,
        hass: HomeAssistant,
        language: str,
        *,
        cleanup: bool,
        part: SpokenPart,
    ) -> None:
        """Initialize for a run.

        `cleanup` removes unspeakable markup.
        """
        super().__init__(run)
        self._hass = hass
        self._language = language
        self._cleanup = cleanup
        self._everything = part is SpokenPart.EVERYTHING
        self._loop = asyncio.get_running_loop()
        self._segments = [self._new_segment()]
        # Sentences held back from the player.
        self._held = ""
        # Dropped segment, kept to fill a pause.
        self._dropped: _Segment | None = None
        self._playback = Playback()
        self._given_at = 0.0
        self._phrases = cycle(PHRASES)
        # White space behind what was given; a paragraph starts and ends without.
        self._space = ""
        self._paragraph_ended = True

    @property
    @override
    def text(self) -> str:
        return self._join([segment.text for segment in self._reply_segments])

    @property
    @override
    def shown(self) -> str:
        return self._join([segment.spoken for segment in self._reply_segments])

    @override
    async def deltas(self) -> AsyncGenerator[Delta]:
        yield {"role": "assistant"}
        async for part in self._run.timed_parts(self._filler_at):
            if part is None:
                content = await self._async_filler()
            elif isinstance(part, str):
                content = self._read_text(self._reply.feed(part))
            else:
                content = self._end_segment()
            if content:
                yield {"content": content}
        if content := self._finish():
            yield {"content": content}

    @property
    def _reply_segments(self) -> list[_Segment]:
        """Return the segments of the reply."""
        with_words = [segment for segment in self._segments if has_words(segment.text)]
        return with_words if self._everything else with_words[-1:]

    @property
    def _speaking(self) -> bool:
        return self._playback.ends_at is not None

    @staticmethod
    def _join(texts: list[str]) -> str:
        return PARAGRAPH.join(text for text in map(str.strip, texts) if text)

    def _new_segment(self) -> _Segment:
        return _Segment(SpeechText(cleanup=self._cleanup))

    def _read_text(self, text: str) -> str:
        """Add text; return the text for the player."""
        if not text:
            return ""
        self._append(text)
        segment = self._segments[-1]
        if segment.given:
            return self._emit_held()
        if not self._is_answer(segment):
            return ""
        segment.given, self._dropped = True, None
        return self._emit_held() + self._end_paragraph()

    def _append(self, text: str) -> None:
        segment = self._segments[-1]
        segment.text += text
        if segment.started_at is None and has_words(text):
            segment.started_at = self._loop.time()
        self._buffer(segment.speech.feed(text))

    def _buffer(self, sentences: str) -> None:
        segment = self._segments[-1]
        if not segment.spoken:
            sentences = sentences.lstrip()
        segment.spoken += sentences
        self._held += sentences

    def _is_answer(self, segment: _Segment) -> bool:
        """Return whether no tool is expected."""
        size, started_at = len(segment.spoken.strip()), segment.started_at
        if started_at is None or not size:
            return False
        age = self._loop.time() - started_at
        return (
            size > MIN_SPEECH
            or (size > MIN_STREAM and age >= MAX_HOLD)
            # All of it will be spoken, so do not hold it.
            or (self._everything and self._speaking)
        )

    def _end_segment(self) -> str:
        """End a segment before a tool.

        It is given to the player, held, or dropped.
        """
        segment = self._segments[-1]
        # The end of a line is no growth.
        self._append(self._reply.end_segment())
        if not segment.text:
            return ""
        self._buffer(segment.speech.finish())
        self._segments.append(self._new_segment())
        if segment.given:
            return self._emit_held() + self._end_paragraph()
        if self._everything:
            self._held = self._held.rstrip() + PARAGRAPH
        else:
            self._held, self._dropped = "", segment
        return ""

    def _finish(self) -> str:
        self._append(self._finish_reply())
        self._buffer(self._segments[-1].speech.finish())
        content = self._emit_held()
        # Nothing followed the last tool.
        for segment in self._reply_segments[-1:]:
            if segment is self._dropped:
                content += self._emit(segment.spoken)
        return content

    def _filler_at(self) -> float | None:
        """Return the time of the next filler."""
        if self._playback.ends_at is None:
            return None
        if not self._paragraph_ended:
            return self._given_at + FLUSH_TIMEOUT
        return self._playback.ends_at + MAX_PAUSE

    async def _async_filler(self) -> str:
        """Return text to keep the player busy."""
        segment = self._segments[-1]
        self._buffer(segment.speech.flush())
        if not self._paragraph_ended:
            return self._emit_held() + self._end_paragraph()
        if segment.given and not self._held:
            # The model writes more slowly than the player speaks.
            self._buffer(segment.speech.cut(MIN_CUT))
        if self._held.strip():
            segment.given = True
            content = self._emit_held()
        elif self._dropped:
            self._dropped.given = True
            content = self._emit(self._dropped.spoken)
            self._dropped = None
        else:
            phrase = await async_get_sentence(
                self._hass, self._language, next(self._phrases)
            )
            since = self.waiting_since or self._loop.time()
            content = self._emit(phrase)
            self.waiting_since = since
        return content + self._end_paragraph()

    def _emit_held(self) -> str:
        held, self._held = self._held, ""
        return self._emit(held)

    def _emit(self, text: str) -> str:
        """Return text without outer white space."""
        text = self._space + text
        content = text.rstrip()
        self._space = text[len(content) :]
        if self._paragraph_ended:
            content = content.lstrip()
        if content:
            self._paragraph_ended = False
            self._playback.add(content)
            self.waiting_since = None
            self._given_at = self._loop.time()
        return content

    def _end_paragraph(self) -> str:
        """End a paragraph, so that all is spoken."""
        if self._paragraph_ended:
            return ""
        self._paragraph_ended, self._space = True, ""
        return PARAGRAPH
