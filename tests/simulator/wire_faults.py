"""The line to the clients, and what happens to frames on it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import orjson

from .recordings import Frame

type Send = Callable[[bytes], None]


@dataclass
class Line:
    """Frames on their way: delayed, out of order, sent twice, cut in half.

    ``doubled`` and ``halved`` say how many of the next frames that befalls.
    """

    doubled: int = 0
    halved: int = 0
    _held: list[tuple[str, bytes, Send]] | None = field(default=None, init=False)

    def hold(self) -> None:
        """Let frames wait from now on."""
        self._held = self._held or []

    def release(self, order: Iterable[int] = ()) -> None:
        """Send what waits; each number picks the stream whose next frame goes first.

        Frames of one stream keep their order, and so do all without a number.
        """
        held, self._held = self._held or [], None
        for number in order:
            streams = list(dict.fromkeys(stream for stream, *_ in held))
            if streams:
                chosen = streams[number % len(streams)]
                index = [stream for stream, *_ in held].index(chosen)
                self._pass(*held.pop(index)[1:])
        for _, data, send in held:
            self._pass(data, send)

    def carry(self, frame: Frame, send: Send) -> None:
        """Take a frame to a client."""
        data = orjson.dumps(frame)
        if self._held is None:
            self._pass(data, send)
        else:
            self._held.append((stream_of(frame), data, send))

    def _pass(self, data: bytes, send: Send) -> None:
        if self.halved:
            self.halved -= 1
            data = data[: len(data) // 2]
        send(data)
        if self.doubled:
            self.doubled -= 1
            send(data)


def stream_of(frame: Frame) -> str:
    """Return what a frame keeps its order with: its run, its request or its event.

    A run's first response is on its own, its last one belongs to its events.
    """
    match frame:
        case {"payload": {"status": "accepted" | "in_flight"}, "id": str(request)}:
            return request
        case {"payload": {"runId": str(run)}}:
            return run
        case {"id": str(request)}:
            return request
    return str(frame.get("event"))
