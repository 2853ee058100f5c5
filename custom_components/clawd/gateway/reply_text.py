"""The text of a reply, put together from a run's `assistant` events."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .frames import Payload

SEPARATOR: Final = "\n\n"


@dataclass(slots=True)
class _Segment:
    """A stretch of text between two tool calls."""

    item_id: str | None
    text: str = ""
    settled: bool = False


class ReplyText:
    """The segments of a reply, and how much of them was already told.

    Each event holds the whole text of its segment so far. A segment ends where
    the text starts again: v4 names it by another `itemId`, v3 does not say.
    `replace` is about its own `itemId`, never about an earlier segment.
    What was told cannot be taken back: where a segment is replaced by a text
    that does not continue it, the new text is told as a paragraph of its own.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._segments: list[_Segment] = []
        self._current = 0
        self._told = ""
        self._told_any = False

    @property
    def text(self) -> str:
        """Return the reply as it stands, segments as paragraphs."""
        return SEPARATOR.join(self._texts())

    @property
    def open(self) -> bool:
        """Return whether the last segment may go on."""
        last = self._last()
        return bool(last.text) and not last.settled

    def starts_anew(self, data: Payload) -> bool:
        """Return whether the data of an `assistant` event start a segment."""
        text = data.get("text")
        return isinstance(text, str) and self._starts_segment(text, data)

    def feed(self, data: Payload) -> str:
        """Take the data of an `assistant` event; return what is new to tell."""
        text, told = data.get("text"), self._told
        if not isinstance(text, str):
            return ""
        if (  # the last segment just goes on, as in nearly every event
            told
            and self._segments
            and not (last := self._segments[-1]).settled
            and last.item_id == data.get("itemId")
            and data.get("delta") != text
            and (new := text.removeprefix(told)) != text
        ):
            self._told = last.text = text
            return new
        if self._repeats_settled(text):
            return ""
        if self._starts_segment(text, data):
            self._open_segment()
        return self._take(text, data.get("itemId"))

    def settle(self, text: str) -> str:
        """Take the whole text of a segment that has ended; return what is new.

        v4 tells it in an `item` event once more, and under load only there.
        """
        text = text.strip()
        last = self._last()
        if text in last.text or self._repeats_settled(text):
            return ""
        if last.text and not text.startswith(last.text):
            self._open_segment()
        new = self._take(text, self._last().item_id)
        self._last().settled = True
        return new

    def catch_up(self, texts: tuple[str, ...]) -> str:
        """Take the segments that ended so far; return what events did not tell."""
        if len(texts) < len(self._texts()):
            return ""
        current = self._current
        new = self.finish(list(texts))
        self._current = current
        for segment in self._segments:
            segment.settled = True
        return new

    def retry(self) -> None:
        """Drop what v3 told of an attempt before this one; v4 replaces it itself."""
        last = self._last()
        if last.item_id is None and not last.settled:
            last.text = ""

    def finish(self, texts: list[str]) -> str:
        """Take the final response's texts; return what events did not tell.

        v3 sends all segments, v4 the last one; events may have been missed.
        """
        known = self._known(texts)
        new = self._complete(texts[known - 1]) if known else ""
        new += "".join(self._append(text) for text in texts[known:])
        if len(texts) >= len(self._texts()):
            self._segments = [_Segment(None, text) for text in texts]
        return new

    def _last(self) -> _Segment:
        """Return the last segment; an empty one if there is none yet."""
        return self._segments[-1] if self._segments else _Segment(None)

    def _texts(self) -> list[str]:
        return [segment.text for segment in self._segments if segment.text]

    def _known(self, texts: list[str]) -> int:
        """Return how many of the final texts were told, the last maybe in part."""
        told = self._texts()
        if not told:
            return 0
        for index in range(max(0, min(len(told), len(texts)) - 1), len(texts)):
            text = texts[index]
            if text.startswith(told[-1]) or text.strip() in told[-1]:
                return index + 1
        return 0

    def _complete(self, text: str) -> str:
        last = self._last()
        if last.text and text.startswith(last.text):
            return self._take(text, last.item_id)
        if last.text:
            last.text = text
        return ""

    def _append(self, text: str) -> str:
        if self._last().text:
            self._open_segment()
        return self._take(text, None)

    def _repeats_settled(self, text: str) -> bool:
        """Return whether an event comes late, or cannot be told from one yet.

        Late events come in order, too: none is of an earlier segment than the last.
        """
        for index in range(self._current, len(self._segments)):
            segment = self._segments[index]
            if segment.settled and segment.text.startswith(text.rstrip()):
                self._current = index
                return True
        return False

    def _starts_segment(self, text: str, data: Payload) -> bool:
        last, item_id = self._last(), data.get("itemId")
        if not last.text:
            return False
        if item_id is not None or last.item_id is not None:
            return item_id != last.item_id
        if data.get("replace") is True:
            return False
        return data.get("delta") == text or not text.startswith(last.text)

    def _open_segment(self) -> None:
        self._segments.append(_Segment(None))
        self._told = ""

    def _take(self, text: str, item_id: str | None) -> str:
        if not self._segments:
            self._open_segment()
        self._segments[-1] = _Segment(item_id, text)
        self._current = len(self._segments) - 1
        if self._told.startswith(text):
            return ""
        if not text.startswith(self._told):
            self._told = ""
        opening = SEPARATOR if self._told_any and not self._told else ""
        new = text[len(self._told) :]
        self._told, self._told_any = text, True
        return opening + new
