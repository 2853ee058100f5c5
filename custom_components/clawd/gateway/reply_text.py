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


class ReplyText:
    """The segments of a reply, and how much of them was already told.

    Each event holds the whole text of its segment so far. A segment ends where
    the text starts again: v4 names it by another `itemId`, v3 does not say.
    What was told cannot be taken back: where a segment is replaced by a text
    that does not continue it, the new text is told as a paragraph of its own.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._segments: list[_Segment] = []
        self._told = ""
        self._told_any = False

    @property
    def text(self) -> str:
        """Return the reply as it stands, segments as paragraphs."""
        return SEPARATOR.join(self._texts())

    def feed(self, data: Payload) -> str:
        """Take the data of an `assistant` event; return what is new to tell."""
        text, item_id = data.get("text"), data.get("itemId")
        if not isinstance(text, str):
            return ""
        if data.get("replace") is True:
            self.discard_segment()
        elif self._starts_segment(text, item_id, data.get("delta")):
            self._open_segment()
        return self._take(text, item_id)

    def discard_segment(self) -> None:
        """Drop the last segment: the model is asked for it once more."""
        if self._segments:
            self._segments[-1] = _Segment(None)

    def finish(self, texts: list[str]) -> str:
        """Take the final response's texts; return what events did not tell.

        v3 sends all segments, v4 the last one; events may have been missed.
        """
        if not texts:
            return ""
        if not self.text:
            new = "".join(self._append(text) for text in texts)
        else:
            new = self._complete(texts[-1])
        if len(texts) >= len(self._texts()):
            self._segments = [_Segment(None, text) for text in texts]
        return new

    def _texts(self) -> list[str]:
        return [segment.text for segment in self._segments if segment.text]

    def _append(self, text: str) -> str:
        if self.text:
            self._open_segment()
        return self._take(text, None)

    def _complete(self, text: str) -> str:
        last = self._segments[-1]
        if not text.startswith(last.text):
            if text.strip() in last.text:
                last.text = text
                return ""
            self._open_segment()
        return self._take(text, last.item_id)

    def _starts_segment(self, text: str, item_id: object, delta: object) -> bool:
        if not self._segments or not self._segments[-1].text:
            return False
        last = self._segments[-1]
        if item_id is not None or last.item_id is not None:
            return item_id != last.item_id
        return delta == text or not text.startswith(last.text)

    def _open_segment(self) -> None:
        self._segments.append(_Segment(None))
        self._told = ""

    def _take(self, text: str, item_id: str | None) -> str:
        if not self._segments:
            self._open_segment()
        self._segments[-1] = _Segment(item_id, text)
        if self._told.startswith(text):
            return ""
        if not text.startswith(self._told):
            self._told = ""
        opening = SEPARATOR if self._told_any and not self._told else ""
        new = text[len(self._told) :]
        self._told, self._told_any = text, True
        return opening + new
