"""Replay of recordings against a Gateway."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import re

import orjson
from websockets.exceptions import ConnectionClosed

from .raw_client import RawClient, connect_params
from .recordings import Frame

type Key = tuple[object, ...]
type Shapes = dict[Key, set[object]]

# Events whose position depends on the machine's speed.
UNORDERED = {
    "chat.metadata.changed",
    "health",
    "presence",
    "sessions.changed",
    "task",
    "tick",
    "update.available",
    "voicewake.changed",
    "voicewake.routing.changed",
}
TYPED_LISTS = {"attempts", "content", "messages", "payloads"}
UNTYPED_OBJECTS = {"args"}
# Parameters of `connect` that are sent as recorded.
RECORDED = (
    "minProtocol",
    "maxProtocol",
    "client",
    "role",
    "scopes",
    "caps",
    "commands",
)
# A close reason may end in the middle of one.
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}(-[0-9a-f]{1,12})?")


def frame_kind(frame: Frame) -> Key:
    """Return the frame's kind; shapes are compared by kind."""
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


def order_key(frame: Frame) -> Key | None:
    """Return the frame's key in the expected order.

    None if the frame's position is not fixed.
    """
    kind, payload = frame_kind(frame), frame.get("payload")
    match kind:
        case "res", *_:
            message = frame.get("error", {}).get("message", "")
            return *kind, frame["id"], message, _texts(payload)
        case "agent", *_ if payload:
            return *kind, payload["runId"], payload["data"].get("name")
        case ("chat", "delta", _) | ("task", _):
            return None
        case "chat", *_:
            return *kind, _texts(payload)
    return None if frame["event"] in UNORDERED else kind


def _texts(payload: object) -> Key:
    """Return the texts of a response or chat event."""
    match payload:
        case {"result": {"payloads": list(items)}}:
            return tuple(item["text"] for item in items)
        case {"message": {"content": list(items)}}:
            return tuple(item["text"] for item in items)
        case {"terminalReply": {"text": text}}:
            return (text,)
    return ()


def shape(value: object, name: str = "") -> object:
    """Return the nested keys and types of a value.

    The first element stands for a list.
    """
    match value:
        case dict() if name not in UNTYPED_OBJECTS:
            return frozenset((key, shape(item, key)) for key, item in value.items())
        case list():
            return shape(value[0]) if value and name in TYPED_LISTS else "list"
        case bool():
            return "bool"
        case int() | float():
            return "number"
    return type(value).__name__


def shapes(frames: Iterable[Frame]) -> Shapes:
    """Return the shapes of each kind of frame."""
    result: Shapes = {}
    for frame in frames:
        result.setdefault(frame_kind(frame), set()).add(shape(frame))
    return result


class MismatchError(AssertionError):
    """Received frame that differs from the recording."""

    def __init__(self, received: object, recorded: object) -> None:
        """Format both in the message."""
        super().__init__(f"received {received}, recorded {recorded}")


@dataclass
class Replay:
    """Replay of a recorded client with another key.

    ``actions`` run before the line of that number is awaited;
    ``shortened_timeout`` is a request timeout, in milliseconds, to cut short;
    ``kinds`` are those of all expected frames; ``ids`` maps the recorded ids of the
    device and of calls to the received ones.
    """

    client: RawClient
    signed_token: str
    actions: Mapping[int, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    shortened_timeout: int = 0
    runs: set[str] = field(default_factory=set)
    kinds: set[Key] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    last: Key | None = None

    async def play(self, lines: Sequence[Frame], numbers: Iterable[int]) -> None:
        """Send the recorded requests and expect the recorded frames."""
        for number in numbers:
            match lines[number]:
                case {"dir": "out", "text": text}:
                    await self.client.connection.send(text)
                case {"dir": "out", "frame": frame}:
                    await self._send(frame)
                case {"dir": "in", "frame": frame} if self._is_own(frame):
                    self.kinds.add(frame_kind(frame))
                    await self._run_action(number)
                    await self._expect(frame)
                case {"dir": "close", "code": code, "reason": reason}:
                    await self._expect_close(code, reason)

    def _is_own(self, frame: Frame) -> bool:
        """Return whether a frame belongs to no other client's run."""
        payload = frame.get("payload")
        run_id = payload.get("runId") if isinstance(payload, dict) else None
        return run_id is None or run_id in self.runs

    async def _run_action(self, number: int) -> None:
        """Run the action before a line, if any."""
        if action := self.actions.get(number):
            await action()

    async def _send(self, frame: Frame) -> None:
        """Send a recorded request; ``connect`` is signed again."""
        params = frame["params"]
        if params.get("timeoutMs") == self.shortened_timeout:
            frame = frame | {"params": params | {"timeoutMs": 1}}
        self.runs |= {params.get("idempotencyKey"), params.get("runId")}
        if frame["method"] == "connect":
            challenge = await self.client.event("connect.challenge")
            same = {name: params[name] for name in RECORDED if name in params}
            signed = connect_params(
                challenge["payload"], self.client.key, self.signed_token, same
            )
            self.ids[params["device"]["id"]] = signed["device"]["id"]
            frame = frame | {"params": signed | {"auth": params["auth"]}}
        text = orjson.dumps(frame).decode()
        for recorded, own in self.ids.items():
            text = text.replace(recorded, own)
        await self.client.connection.send(text)

    async def _expect(self, frame: Frame) -> None:
        """Compare the next ordered frame; repetitions count as one."""
        recorded, expected = frame, order_key(frame)
        if expected in (None, self.last, ("event", "connect.challenge")):
            return
        received = self.last
        while received in (None, self.last):
            frame = await self.client.receive()
            received = order_key(frame) if self._is_own(frame) else None
        if received != expected:
            raise MismatchError(received, expected)
        self.last = expected
        if expected == ("event", "node.invoke.request"):
            self.ids[recorded["payload"]["id"]] = frame["payload"]["id"]

    async def _expect_close(self, code: int, reason: str) -> None:
        """Compare close code and reason."""
        end: tuple[int, str] | None = None
        while end is None:
            try:
                frame = await self.client.receive()
            except ConnectionClosed as err:
                end = (err.rcvd.code, err.rcvd.reason) if err.rcvd else (1006, "")
            else:
                if order_key(frame) not in (None, self.last):
                    raise MismatchError(order_key(frame), (code, reason))
        if (end[0], UUID.sub("…", end[1])) != (code, UUID.sub("…", reason)):
            raise MismatchError(end, (code, reason))
