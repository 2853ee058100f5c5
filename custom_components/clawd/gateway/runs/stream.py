"""Event stream of a run."""

import asyncio
from collections import deque
from dataclasses import dataclass
import time
from typing import TYPE_CHECKING, Final, cast

from ..run_result import MAX_MEDIA, media_references
from .text import ReplyText
from .tools import ToolCall, ToolCalls, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models import Json, Payload

# An event of a long reply has 30 kB; a history is read within a second.
MAX_BUFFERED_EVENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """End of a segment, at a tool call."""


type Part = str | ToolCall | ToolResult | SegmentEnd


class RunStream:
    """Stream of a run's parts.

    Text, and tool calls or segment ends if included. After a lost connection events
    are buffered until the history has shown the missed ones; see `runs.recovery`.

    Attributes:
        first_text_at: time of the monotonic clock; None before the first text.
        missed: whether events are known to be missing that the history may have.
        media: references of pictures and files, in the order in which they came.

    """

    def __init__(
        self,
        run_id: str,
        *,
        include_tools: bool,
        include_segments: bool = False,
        on_skipped: Callable[[], object] = lambda: None,
    ) -> None:
        """Initialize without events.

        `on_skipped` is called for each unused event.
        """
        self.first_text_at: float | None = None
        self.missed = False
        self._include_segments = include_segments
        self.media: dict[str, None] = {}
        self._on_skipped = on_skipped
        self._reply = ReplyText()
        self._tools = ToolCalls(run_id) if include_tools else None
        self._unread: list[Part] = []
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.Future[None] | None = None
        self._closed = False
        self._buffered: deque[Payload] | None = None
        self._gap = False
        self._last_seq = 0
        self._last_data: Payload | None = None
        self._first_seq = 0

    @property
    def text(self) -> str:
        """Return the reply so far."""
        return self._reply.text

    @property
    def unread_size(self) -> int:
        """Return the number of unread characters."""
        return sum(map(len, self._texts(self._unread)))

    @property
    def buffered(self) -> int:
        """Return the number of buffered events."""
        return len(self._buffered or ())

    @property
    def overflowed(self) -> bool:
        """Return whether events may be missing."""
        return self.buffered == MAX_BUFFERED_EVENTS

    @property
    def incomplete(self) -> bool:
        """Return whether events may be missing."""
        return self.missed or self._first_seq != 1

    @property
    def has_gap(self) -> bool:
        """Return whether a segment end may be missing."""
        return self._gap and self._reply.open

    def feed(self, payload: Payload) -> None:  # noqa: C901 - without calls: it is fast
        """Process the payload of an `agent` event."""
        if self._buffered is not None:
            self._buffered.append(payload)
            return
        seq, data = payload.get("seq"), payload.get("data")
        if (
            not isinstance(seq, int)
            or not isinstance(data, dict)
            or seq <= self._last_seq
        ):
            self._skip(seq, data)
            return
        if self._gap and self._starts_behind_gap(payload, data):
            self.buffer(payload)
            return
        # It may skip numbers: v4 joins events and sends 1, 2, 3, 11, 18.
        if not self._last_seq:
            self._first_seq = self._first_seq or seq
        self._last_seq, self._last_data = seq, data
        match payload.get("stream"):
            case "assistant":
                if "mediaUrls" in data:
                    self._read_media(data)
                self._emit_text(self._reply.feed(data))
            case "item" if data.get("kind") == "preamble":
                self._close_segment(data)
            case "lifecycle" if data.get("phase") == "start":
                # v3 repeats `start` for each attempt of a failing model.
                self._reply.drop_attempt()
            case "tool" if self._tools and (step := self._tools.read(data)):
                self._emit(step)
            case "tool" if data.get("phase") == "start":
                self._end_segment()

    def _read_media(self, data: Payload) -> None:
        if len(self.media) < MAX_MEDIA:
            self.media |= dict.fromkeys(media_references(data))

    def _skip(self, seq: Json, data: Json) -> None:
        """Count an unused event, except for repetitions."""
        if seq != self._last_seq or data != self._last_data:
            self.missed = True
            self._on_skipped()

    def buffer(self, *first: Payload) -> None:
        """Buffer events from now on."""
        self._buffered = deque(first, MAX_BUFFERED_EVENTS)

    def mark_disconnected(self) -> None:
        """Buffer events until `replay_history()`."""
        self.buffer()
        self._gap = False

    def replay_history(self, texts: tuple[str, ...]) -> None:
        """Emit missed segments, then the buffered events.

        If the history lacks the end of a segment that was emitted in part, the next
        segment is buffered until the second call.
        """
        self.missed, self._first_seq = False, 1
        self._emit_text(self._reply.replay_history(texts))
        self._gap = self._reply.open and not (self._gap and self._buffered)
        buffered, self._buffered = self._buffered or (), None
        for payload in buffered:
            self.feed(payload)

    def complete(self, texts: tuple[str, ...]) -> None:
        """Emit the rest from the complete history."""
        self._emit_text(self._reply.replay_history(texts))

    def finish(self, texts: list[str]) -> None:
        """Emit the rest from the final response."""
        self._emit_text(self._reply.finish(texts))

    def close_tools(self) -> None:
        """Emit results for the open tool calls."""
        self._unread += self._tools.close() if self._tools else ()

    def close(self) -> None:
        """End the iteration once everything is read."""
        self._closed = True
        self._wake_reader()

    @property
    def exhausted(self) -> bool:
        """Return whether all parts are read."""
        return self._closed and not self._unread

    async def read(self, until: float | None = None) -> list[Part]:
        """Wait for unread parts.

        Empty at the end, or at the time `until` of the loop's clock.
        """
        while not self._unread and not self._closed:
            self._reader = self._loop.create_future()
            if until is None:
                await self._reader
                continue
            try:
                async with asyncio.timeout_at(until):
                    await self._reader
            except TimeoutError:
                return []
        unread, self._unread = self._unread, []
        return unread

    def join(self, parts: list[Part]) -> str:
        """Join the text of parts."""
        return "".join(self._texts(parts))

    def _starts_behind_gap(self, payload: Payload, data: Payload) -> bool:
        """Return whether text before an event is missing."""
        if not self._reply.open or payload.get("stream") != "assistant":
            return False
        self._gap = self._reply.starts_segment(data)
        return self._gap

    def _close_segment(self, data: Payload) -> None:
        match data:
            case {"phase": "end", "progressText": str(text)}:
                self._emit_text(self._reply.close_segment(text))
                self._end_segment()

    def _emit_text(self, text: str) -> None:
        if size := self._reply.opened:
            self._reply.opened = 0
            if self._include_segments:
                # Of several that were missed, the last one is the answer.
                self._emit(text[:-size])
                self._end_segment()
                text = text[-size:]
        self._emit(text)

    def _end_segment(self) -> None:
        if self._include_segments:
            self._emit(SegmentEnd())

    def _emit(self, part: Part) -> None:
        if part:
            if self.first_text_at is None and isinstance(part, str):
                self.first_text_at = time.monotonic()
            self._unread.append(part)
            if self._reader:
                self._wake_reader()

    def _texts(self, parts: list[Part]) -> list[str]:
        # Without them every part is text; this runs for each read of a long reply.
        if self._tools is None and not self._include_segments:
            return cast("list[str]", parts)
        return [part for part in parts if isinstance(part, str)]

    def _wake_reader(self) -> None:
        if self._reader and not self._reader.done():
            self._reader.set_result(None)
