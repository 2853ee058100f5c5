"""Comparison of what a Gateway sends with what was recorded."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import re

import orjson
from websockets.exceptions import ConnectionClosed

from .raw_client import RawClient, connect_params
from .recordings import Frame

type Point = tuple[object, ...]
type Shapes = dict[Point, set[object]]

# events whose place in the order depends on the machine's speed
UNORDERED = {
    "chat.metadata.changed",
    "health",
    "presence",
    "sessions.changed",
    "task",
    "tick",
    "update.available",
}
LISTED = {"attempts", "content", "messages", "payloads"}
OPAQUE = {"args"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def kind(frame: Frame) -> Point:
    """Return what a frame is about, by which shapes are compared."""
    payload = frame.get("payload")
    data = payload if isinstance(payload, dict) else {}
    if frame["type"] == "res":
        error = frame.get("error", {})
        code = error.get("details", {}).get("code")
        return "res", frame["ok"], data.get("status"), error.get("code"), code
    match frame["event"]:
        case "agent":
            inner = data["data"]
            names = ("phase", "kind", "aborted", "stopReason", "replace")
            return "agent", data["stream"], *(inner.get(name) for name in names)
        case "chat":
            return "chat", data["state"], data.get("stopReason")
        case "task":
            return "task", data["task"]["status"]
    return "event", frame["event"]


def point(frame: Frame) -> Point | None:
    """Return a frame's point in the story; None if its place is not fixed."""
    what, payload = kind(frame), frame.get("payload")
    match what:
        case "res", *_:
            message = frame.get("error", {}).get("message", "")
            return *what, frame["id"], message, _texts(payload)
        case "agent", *_ if payload:
            return *what, payload["runId"], payload["data"].get("name")
        case ("chat", "delta", _) | ("task", _):
            return None
        case "chat", *_:
            return *what, _texts(payload)
    return None if frame["event"] in UNORDERED else what


def _texts(payload: object) -> Point:
    """Return the texts that a response or a chat event carries."""
    match payload:
        case {"result": {"payloads": list(items)}}:
            return tuple(item["text"] for item in items)
        case {"message": {"content": list(items)}}:
            return tuple(item["text"] for item in items)
        case {"terminalReply": {"text": text}}:
            return (text,)
    return ()


def shape(value: object, name: str = "") -> object:
    """Return the nested keys and types of a value; lists by their first element."""
    match value:
        case dict() if name not in OPAQUE:
            return frozenset((key, shape(item, key)) for key, item in value.items())
        case list():
            return shape(value[0]) if value and name in LISTED else "list"
        case bool():
            return "bool"
        case int() | float():
            return "number"
    return type(value).__name__


def shapes(frames: Iterable[Frame]) -> Shapes:
    """Return the shapes of the frames of each kind."""
    found: Shapes = {}
    for frame in frames:
        found.setdefault(kind(frame), set()).add(shape(frame))
    return found


class MismatchError(AssertionError):
    """Something else was received than what was recorded."""

    def __init__(self, received: object, recorded: object) -> None:
        """Say both."""
        super().__init__(f"received {received}, recorded {recorded}")


@dataclass
class Replay:
    """A recorded client, played against a Gateway with its own key.

    ``actions`` are done before the line of that number is awaited; ``impatient``
    is a timeout, in milliseconds, that need not be sat out. ``kinds`` are those
    of all frames that were expected.
    """

    client: RawClient
    signed_token: str
    actions: Mapping[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    impatient: int = 0
    runs: set[str] = field(default_factory=set)
    kinds: set[Point] = field(default_factory=set)
    last: Point | None = None

    async def play(self, lines: Sequence[Frame], numbers: Iterable[int]) -> None:
        """Send what the client sent, and expect what it received."""
        for number in numbers:
            match lines[number]:
                case {"dir": "out", "text": text}:
                    await self.client.connection.send(text)
                case {"dir": "out", "frame": frame}:
                    await self._send(frame)
                case {"dir": "in", "frame": frame} if self._is_own(frame):
                    self.kinds.add(kind(frame))
                    await self._act(number)
                    await self._expect(frame)
                case {"dir": "close", "code": code, "reason": reason}:
                    await self._expect_close(code, reason)

    def _is_own(self, frame: Frame) -> bool:
        """Return whether a frame is not about somebody else's run."""
        payload = frame.get("payload")
        run_id = payload.get("runId") if isinstance(payload, dict) else None
        return run_id is None or run_id in self.runs

    async def _act(self, number: int) -> None:
        """Do what was asked for before a line."""
        if action := self.actions.get(number):
            await action()

    async def _send(self, frame: Frame) -> None:
        """Send a recorded request; ``connect`` is signed anew."""
        params = frame["params"]
        if params.get("timeoutMs") == self.impatient:
            frame = frame | {"params": params | {"timeoutMs": 1}}
        self.runs |= {params.get("idempotencyKey"), params.get("runId")}
        if frame["method"] == "connect":
            challenge = await self.client.event("connect.challenge")
            limits = {name: params[name] for name in ("minProtocol", "maxProtocol")}
            signed = connect_params(
                challenge["payload"], self.client.key, self.signed_token, limits
            )
            frame = frame | {"params": signed | {"auth": params["auth"]}}
        await self.client.connection.send(orjson.dumps(frame), text=True)

    async def _expect(self, frame: Frame) -> None:
        """Compare the next frame with a fixed place; repetitions count as one."""
        expected = point(frame)
        if expected in (None, self.last, ("event", "connect.challenge")):
            return
        received = self.last
        while received in (None, self.last):
            frame = await self.client.receive()
            received = point(frame) if self._is_own(frame) else None
        if received != expected:
            raise MismatchError(received, expected)
        self.last = expected

    async def _expect_close(self, code: int, reason: str) -> None:
        """Compare how the connection ends."""
        end: tuple[int, str] | None = None
        while end is None:
            try:
                frame = await self.client.receive()
            except ConnectionClosed as err:
                end = (err.rcvd.code, err.rcvd.reason) if err.rcvd else (1006, "")
            else:
                if point(frame) not in (None, self.last):
                    raise MismatchError(point(frame), (code, reason))
        if (end[0], UUID.sub("…", end[1])) != (code, UUID.sub("…", reason)):
            raise MismatchError(end, (code, reason))
