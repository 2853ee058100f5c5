"""Reply of a run as it is spoken: held until it is the answer, then kept going.

No event says that a tool will follow a text; v3 does not even say that one has. And
Home Assistant starts to speak once it has more than 60 characters, cannot take them
back, and many a satellite hangs when its player gets nothing for some seconds. So:

1. The text of a segment (what stands between two tools) is held. It is given to the
   player when the run has ended; when it is long (`MIN_SPEECH`); or when it is still
   growing `MAX_HOLD` seconds after its first word. What an agent says before a tool
   ("Let me look") is short, or soon over. That a text no longer grows is no sign of
   its end: the model writes the arguments of its tool.
2. Where a tool follows after all, what is held is dropped, unless everything is to be
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
# Characters of a sentence that is not whole, and is spoken rather than a phrase.
MIN_CUT: Final = 20
# Seconds.
MAX_HOLD: Final = 2.0
MAX_PAUSE: Final = 2.5
FLUSH_TIMEOUT: Final = 0.5

PARAGRAPH: Final = "\n\n"
# Said in turn while the agent has no words.
PHRASES: Final = (
    Sentence.ONE_MOMENT,
    Sentence.STILL_WORKING,
    Sentence.TAKES_LONGER,
)


class SpokenPart(StrEnum):
    """Part of a reply that is spoken."""

    ANSWER = "answer"
    EVERYTHING = "everything"


@dataclass(slots=True)
class _Segment:
    """Text between two tools.

    Attributes:
        spoken: its sentences, cleaned for speech.
        started_at: time of the event loop's clock at its first word.
        given: the player has it, and gets what comes.

    """

    speech: SpeechText
    text: str = ""
    spoken: str = ""
    started_at: float | None = None
    given: bool = False


def reply_stream(
    hass: HomeAssistant, subentry: ConfigSubentry, question: Question, run: AgentRun
) -> ReplyStream:
    """Return the reply of a run, for a player or a chat."""
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
    """Reply of a run in deltas for a player."""

    def __init__(
        self,
        run: AgentRun,
        hass: HomeAssistant,
        language: str,
        *,
        cleanup: bool,
        part: SpokenPart,
    ) -> None:
        """Read a run; `cleanup` removes what cannot be said."""
        super().__init__(run)
        self._hass = hass
        self._language = language
        self._cleanup = cleanup
        self._everything = part is SpokenPart.EVERYTHING
        self._loop = asyncio.get_running_loop()
        self._segments = [self._new_segment()]
        # Sentences that wait to be given.
        self._held = ""
        # Segment that was dropped; it bridges a pause.
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
        async for part in self._run.timed_parts(self._bridge_at):
            if part is None:
                content = await self._async_bridge()
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
        """Return the segments that are the reply."""
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
        """Add text to the segment; return what is given to the player."""
        if not text:
            return ""
        self._append(text)
        segment = self._segments[-1]
        if segment.given:
            return self._give_held()
        if not self._is_answer(segment):
            return ""
        segment.given, self._dropped = True, None
        return self._give_held() + self._end_paragraph()

    def _append(self, text: str) -> None:
        segment = self._segments[-1]
        segment.text += text
        if segment.started_at is None and has_words(text):
            segment.started_at = self._loop.time()
        self._hold(segment.speech.feed(text))

    def _hold(self, sentences: str) -> None:
        segment = self._segments[-1]
        if not segment.spoken:
            sentences = sentences.lstrip()
        segment.spoken += sentences
        self._held += sentences

    def _is_answer(self, segment: _Segment) -> bool:
        """Return whether no tool is expected to follow."""
        size, started_at = len(segment.spoken.strip()), segment.started_at
        if started_at is None or not size:
            return False
        age = self._loop.time() - started_at
        return (
            size > MIN_SPEECH
            or (size > MIN_STREAM and age >= MAX_HOLD)
            # Nothing is gained by holding it: all of it will be told.
            or (self._everything and self._speaking)
        )

    def _end_segment(self) -> str:
        """Give a segment that a tool follows, hold it, or drop it."""
        segment = self._segments[-1]
        # The end of a line is no growth.
        self._append(self._reply.end_segment())
        if not segment.text:
            return ""
        self._hold(segment.speech.finish())
        self._segments.append(self._new_segment())
        if segment.given:
            return self._give_held() + self._end_paragraph()
        if self._everything:
            self._held = self._held.rstrip() + PARAGRAPH
        else:
            self._held, self._dropped = "", segment
        return ""

    def _finish(self) -> str:
        self._append(self._finish_reply())
        self._hold(self._segments[-1].speech.finish())
        content = self._give_held()
        # Nothing followed the last tool.
        for segment in self._reply_segments[-1:]:
            if segment is self._dropped:
                content += self._give(segment.spoken)
        return content

    def _bridge_at(self) -> float | None:
        """Return when the player needs something, if nothing comes until then."""
        if self._playback.ends_at is None:
            return None
        if not self._paragraph_ended:
            return self._given_at + FLUSH_TIMEOUT
        return self._playback.ends_at + MAX_PAUSE

    async def _async_bridge(self) -> str:
        """Return what keeps the player going."""
        segment = self._segments[-1]
        self._hold(segment.speech.flush())
        if not self._paragraph_ended:
            return self._give_held() + self._end_paragraph()
        if segment.given and not self._held:
            # It is written more slowly than it is spoken.
            self._hold(segment.speech.cut(MIN_CUT))
        if self._held.strip():
            segment.given = True
            content = self._give_held()
        elif self._dropped:
            self._dropped.given = True
            content = self._give(self._dropped.spoken)
            self._dropped = None
        else:
            phrase = await async_get_sentence(
                self._hass, self._language, next(self._phrases)
            )
            since = self.waiting_since or self._loop.time()
            content = self._give(phrase)
            self.waiting_since = since
        return content + self._end_paragraph()

    def _give_held(self) -> str:
        held, self._held = self._held, ""
        return self._give(held)

    def _give(self, text: str) -> str:
        """Give text to the player, without white space around a paragraph."""
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
        """End a paragraph: a player then says all of it."""
        if self._paragraph_ended:
            return ""
        self._paragraph_ended, self._space = True, ""
        return PARAGRAPH
