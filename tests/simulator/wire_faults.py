"""Faults of frames sent to clients."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
import json

import orjson

from .recordings import Frame

type Send = Callable[[bytes], None]


@dataclass
class WireFaults:
    """Frames sent late, out of order, twice or truncated.

    ``duplicate_next`` and ``truncate_next`` count the next frames to change;
    ``rewrite`` changes each frame.
    """

    duplicate_next: int = 0
    truncate_next: int = 0
    rewrite: Callable[[bytes], bytes] = bytes
    _held: list[tuple[str, bytes, Send]] | None = field(default=None, init=False)

    def hold(self) -> None:
        """Hold frames until released."""
        self._held = self._held or []

    def release(self, order: Iterable[int] = ()) -> None:
        """Release held frames, optionally reordered.

        Each number picks the stream whose next frame is sent first. Frames of one
        stream keep their order, and so do all frames without a number.
        """
        held, self._held = self._held or [], None
        for number in order:
            streams = list(dict.fromkeys(stream for stream, *_ in held))
            if streams:
                chosen = streams[number % len(streams)]
                index = [stream for stream, *_ in held].index(chosen)
                self._deliver(*held.pop(index)[1:])
        for _, data, send in held:
            self._deliver(data, send)

    def send(self, frame: Frame, send: Send) -> None:
        """Send a frame, or hold it."""
        data = self.rewrite(encode(frame))
        if self._held is None:
            self._deliver(data, send)
        else:
            self._held.append((stream_key(frame), data, send))

    def _deliver(self, data: bytes, send: Send) -> None:
        if self.truncate_next:
            self.truncate_next -= 1
            data = data[: len(data) // 2]
        send(data)
        if self.duplicate_next:
            self.duplicate_next -= 1
            send(data)


def encode(frame: Frame) -> bytes:
    """Encode a frame as Node does, which escapes the half of a character."""
    try:
        return orjson.dumps(frame)
    except orjson.JSONEncodeError:
        return json.dumps(frame, separators=(",", ":")).encode()


def stream_key(frame: Frame) -> str:
    """Return the frame's stream: run, request or event.

    A run's first response is a stream of its own; its last one is in the run's.
    """
    match frame:
        case {"payload": {"status": "accepted" | "in_flight"}, "id": str(request)}:
            return request
        case {"payload": {"runId": str(run)}}:
            return run
        case {"id": str(request)}:
            return request
    return str(frame.get("event"))
