"""Reply text, assembled from `assistant` events."""

from dataclasses import dataclass
from itertools import islice
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..models import Payload

SEPARATOR: Final = "\n\n"
_WORD: Final = re.compile(r"\w+")
# In place of half a surrogate pair.
HALF: Final = "\ufffd"


@dataclass(slots=True)
class _Segment:
    """Text between two tool calls."""

    item_id: str | None
    text: str = ""
    closed: bool = False


class ReplyText:
    """Text of a reply, in segments.

    Each event holds the whole text of its segment so far. A segment ends where the
    text starts again: v4 gives it another `itemId`, v3 does not say. `replace`
    concerns its own `itemId`, never an earlier segment.
    Emitted text cannot be taken back: where a segment is replaced by a text that
    neither continues it nor only leaves words out, the new text is emitted as a
    paragraph of its own.

    Attributes:
        opened: size of the returned text from the start of its last segment, if it
            started one behind another; reset by the reader.

    """

    def __init__(self) -> None:
        """Initialize without segments."""
        self.opened = 0
        self._segments: list[_Segment] = []
        self._current = 0
        self._emitted = ""
        self._emitted_any = False

    @property
    def text(self) -> str:
        """Return the reply so far.

        Segments are paragraphs.
        """
        return SEPARATOR.join(self._texts())

    @property
    def open(self) -> bool:
        """Return whether the last segment may continue."""
        last = self._last()
        return bool(last.text) and not last.closed

    def starts_segment(self, data: Payload) -> bool:
        """Return whether an event starts a segment."""
        text = data.get("text")
        return isinstance(text, str) and self._starts_segment(text, data)

    def feed(self, data: Payload) -> str:
        """Process an event; return the new text."""
        text, emitted = data.get("text"), self._emitted
        if not isinstance(text, str):
            return ""
        if text.endswith(HALF):
            data = _without_half(data)
            text = data["text"]
        # The fast path of nearly every event: the last segment continues.
        # v3: {"text": "It is", "delta": " is"}; v4: the same with "itemId".
        if (
            emitted
            and self._segments
            and not (last := self._segments[-1]).closed
            and last.item_id == data.get("itemId")
            and data.get("delta") != text
            and (new := text.removeprefix(emitted)) != text
        ):
            self._emitted = last.text = text
            return new
        if self._repeats_closed(text):
            return ""
        if self._starts_segment(text, data):
            self._open_segment()
        elif data.get("replace") is True and _is_abridged(text, self._emitted):
            self._emitted = text
        return self._set_text(text, data.get("itemId"))

    def close_segment(self, text: str) -> str:
        """Close a segment; return its new text."""
        # v4 repeats the text before a tool call in {"stream": "item", "data":
        # {"kind": "preamble", "progressText": …}}; under load it comes only there.
        text = text.strip()
        last = self._last()
        known, solid = _without_whitespace(last.text), _without_whitespace(text)
        if solid in known or self._repeats_closed(text):
            return ""
        if known and solid.startswith(known):
            new = self._continue(*_text_after([text], len(known)))
        else:
            if last.text:
                self._open_segment()
            new = self._set_text(text, self._last().item_id)
        self._last().closed = True
        return new

    def replay_history(self, texts: tuple[str, ...]) -> str:
        """Add the ended segments; return missed text."""
        known = self._texts()
        if len(texts) < len(known) and _size(texts) <= _size(known):
            return ""
        current = self._current
        new = self.finish(list(texts))
        self._current = current
        for segment in self._segments:
            segment.closed = True
        return new

    def drop_attempt(self) -> None:
        """Drop the text of a failed attempt (v3)."""
        # v4 replaces it by an event with `replace: true`.
        last = self._last()
        if last.item_id is None and not last.closed:
            last.text = ""

    def finish(self, texts: list[str]) -> str:
        """Add the final texts; return missed text."""
        # v3 sends all segments, v4 the last one; events may have been missed.
        if (match := self._match(texts)) is not None:
            start, size = match
            earlier = self._texts()[:start]
            new = self._continue(*_text_after(texts, size))
            self._segments = [_Segment(None, text) for text in (*earlier, *texts)]
            return new
        known = self._count_known(texts)
        new = self._complete(texts[known - 1]) if known else ""
        new += "".join(self._append(text) for text in texts[known:])
        if len(texts) >= len(self._texts()):
            self._segments = [_Segment(None, text) for text in texts]
        return new

    def _last(self) -> _Segment:
        """Return the last segment.

        An empty one if there is none.
        """
        return self._segments[-1] if self._segments else _Segment(None)

    def _texts(self) -> list[str]:
        return [segment.text for segment in self._segments if segment.text]

    def _match(self, texts: list[str]) -> tuple[int, int] | None:
        """Match final texts to the emitted segments.

        Return the first segment of the match, and the emitted size in characters
        without white space: a Gateway may join segments in another way than it sent
        them. None if the texts do not continue them.
        """
        known = [_without_whitespace(text) for text in self._texts()]
        final, size = _without_whitespace("".join(texts)), sum(map(len, known))
        for start, text in enumerate(known):
            # Cheap comparison first: the full one is rarely needed.
            if (
                size <= len(final)
                and final.startswith(text)
                and final.startswith("".join(known[start:]))
            ):
                return start, size
            size -= len(text)
        return None

    def _continue(self, rest: str, more: list[str]) -> str:
        """Continue the last segment and add others."""
        last, new = self._last(), ""
        if rest.strip():
            known = last.text[len(last.text.rstrip()) :]
            new = rest.removeprefix(known) if rest.startswith(known) else rest.lstrip()
            new = self._set_text(last.text + new, last.item_id)
        return new + "".join(self._append(text) for text in more)

    def _count_known(self, texts: list[str]) -> int:
        """Count the emitted final texts."""
        known = self._texts()
        if not known:
            return 0
        for index in range(max(0, min(len(known), len(texts)) - 1), len(texts)):
            text = texts[index]
            if text.startswith(known[-1]) or _without_whitespace(
                text
            ) in _without_whitespace(known[-1]):
                return index + 1
        return 0

    def _complete(self, text: str) -> str:
        last = self._last()
        if last.text and text.startswith(last.text):
            return self._set_text(text, last.item_id)
        last.text = text
        return ""

    def _append(self, text: str) -> str:
        if self._last().text:
            self._open_segment()
        return self._set_text(text, None)

    def _repeats_closed(self, text: str) -> bool:
        """Return whether an event may be late."""
        # Late events come in order: none belongs to a segment before the current.
        for index in range(self._current, len(self._segments)):
            segment = self._segments[index]
            if segment.closed and segment.text.startswith(text.rstrip()):
                self._current = index
                return True
        return False

    def _starts_segment(self, text: str, data: Payload) -> bool:
        last, item_id = self._last(), data.get("itemId")
        if not last.text:
            return False
        if item_id is not None or last.item_id is not None:
            return bool(item_id != last.item_id)
        if data.get("replace") is True:
            return False
        # v3, after a tool call: {"text": "It", "delta": "It"}.
        return data.get("delta") == text or not text.startswith(last.text)

    def _open_segment(self) -> None:
        self._segments.append(_Segment(None))
        self._emitted = ""

    def _set_text(self, text: str, item_id: str | None) -> str:
        if not self._segments:
            self._open_segment()
        self._segments[-1] = _Segment(item_id, text)
        self._current = len(self._segments) - 1
        if self._emitted.startswith(text):
            return ""
        if not text.startswith(self._emitted):
            self._emitted = ""
        opening = SEPARATOR if self._emitted_any and not self._emitted else ""
        new = text[len(self._emitted) :]
        self._emitted, self._emitted_any = text, True
        if opening:
            self.opened = len(opening + new)
        return opening + new


def _without_half(data: Payload) -> Payload:
    """Return an event without a trailing half character."""
    # Node may cut between the halves: {"text": "Hi \\ud83d"}, {"text": "Hi 👋"}.
    # If it was none, the next event or the final response has it again.
    texts = {key: data.get(key) for key in ("text", "delta")}
    return data | {
        key: text.removesuffix(HALF)
        for key, text in texts.items()
        if isinstance(text, str)
    }


def _is_abridged(text: str, emitted: str) -> bool:
    """Return whether a text is an abridgement.

    It has only words of the emitted one, in their order.
    """
    # v4 streams {"text": "<tool_call>{…}</tool_call> Done."} and ends with {"text":
    # "Done.", "delta": "", "replace": true}.
    left, words = _WORD.findall(text), iter(_WORD.findall(emitted))
    return bool(left) and all(word in words for word in left)


def _without_whitespace(text: str) -> str:
    """Return a text without white space."""
    return "".join(text.split())


def _size(texts: Iterable[str]) -> int:
    return sum(len(_without_whitespace(text)) for text in texts)


def _text_after(texts: list[str], count: int) -> tuple[str, list[str]]:
    """Return the text after `count` characters.

    White space does not count. The result is the rest of the text with the last of
    them, and the further texts.
    """
    for index, text in enumerate(texts):
        size = len(_without_whitespace(text))
        if count < size:
            return _rest(text, count) if count else "", texts[index + bool(count) :]
        count -= size
    return "", []


def _rest(text: str, count: int) -> str:
    solid = (index for index, char in enumerate(text) if not char.isspace())
    return text[next(islice(solid, count - 1, None)) + 1 :]
