"""Frames: requests, responses, events."""

from dataclasses import dataclass, field
import json
from math import isfinite
import re
from typing import TYPE_CHECKING, Final

import orjson

from ..exceptions import InvalidFrameError

if TYPE_CHECKING:
    from ..models import Json, Payload

_EVENT_START: Final = re.compile(rb'\{"type":"event","event":"([\w.:-]{1,64})"')
_RESPONSE_START: Final = re.compile(rb'\{"type":"res","id":"(\w{1,64})"')
_SAFE_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
# Longer integers do not fit in 64 bits, and may exceed what Python converts.
MAX_EXACT_DIGITS: Final = 20

NOT_JSON: Final = "NOT_JSON"
NO_FRAME: Final = "NO_FRAME"


@dataclass(frozen=True, slots=True)
class Request:
    """Request to the Gateway."""

    id: str
    method: str
    params: Payload = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResponseError:
    """Error of a response; `retry_after` in seconds."""

    code: str
    message: str = field(repr=False)
    details: Payload = field(repr=False)
    retryable: bool
    retry_after: float | None

    @property
    def detail_code(self) -> str:
        """Return `details.code` (v4).

        Empty on v3.
        """
        return _safe_code(self.details.get("code"))

    def detail[T](self, key: str, kind: type[T]) -> T | None:
        """Return a detail of the expected type."""
        value = self.details.get(key)
        return value if isinstance(value, kind) else None


@dataclass(frozen=True, slots=True)
class Response:
    """Response to a request; `agent` gets two."""

    id: str
    ok: bool
    payload: Json = field(repr=False)
    error: ResponseError | None


@dataclass(slots=True)
class Event:
    """Event of the Gateway.

    `seq` counts per connection.
    """

    name: str
    payload: Payload = field(repr=False)
    seq: int | None


def encode_request(request: Request) -> bytes:
    """Encode a request as UTF-8 text."""
    frame = {
        "type": "req",
        "id": request.id,
        "method": request.method,
        "params": request.params,
    }
    try:
        return orjson.dumps(frame)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair ("\\ud83d") is no UTF-8.
        return well_formed(json.dumps(frame, ensure_ascii=False)).encode()


def well_formed(text: str) -> str:
    """Replace lone surrogates by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def repair_json(data: bytes) -> bytes:
    """Convert lenient JSON to strict JSON.

    Raises:
        InvalidFrameError: no reader takes it.

    """
    # Node writes the half of a character that it cut in two as an escape:
    # {"text":"half \\ud83d end"}; strict readers refuse the whole frame.
    try:
        value = json.loads(
            data.decode("utf-8-sig", "replace"),
            strict=False,
            parse_int=_integer_or_float,
            parse_float=_finite,
            parse_constant=lambda _: None,
        )
        text = json.dumps(value, ensure_ascii=False)
    except ValueError, RecursionError:
        raise InvalidFrameError("a frame is not JSON", code=NOT_JSON) from None
    return well_formed(text).encode()


def decode_frame(data: bytes | str) -> Response | Event:
    """Decode a frame from the Gateway.

    Raises:
        InvalidFrameError: the data is no frame of a Gateway.

    """
    try:
        frame = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise InvalidFrameError("a frame is not JSON", code=NOT_JSON) from None
    kind = frame.get("type") if isinstance(frame, dict) else None
    if kind == "event" and isinstance(name := frame.get("event"), str):
        payload, seq = frame.get("payload"), frame.get("seq")
        if payload is None:
            payload = {}
        elif not isinstance(payload, dict):
            raise InvalidFrameError(
                "the payload of an event is not an object", code=NO_FRAME
            )
        return Event(name, payload, seq if type(seq) is int else None)
    if kind == "res":
        return _response(frame)
    raise InvalidFrameError("a frame is neither response nor event", code=NO_FRAME)


def peek_event(data: bytes) -> str | None:
    """Read the event name without decoding."""
    # Both Gateways write these keys first: {"type":"event","event":"tick",…}.
    start = _EVENT_START.match(data)
    return start[1].decode() if start else None


def peek_response(data: bytes) -> str | None:
    """Read the request id without decoding."""
    start = _RESPONSE_START.match(data)
    return start[1].decode() if start else None


def seconds(milliseconds: object) -> float | None:
    """Convert milliseconds to seconds.

    None if the value is no integer.
    """
    value = _integer(milliseconds)
    return None if value is None else max(0, value) / 1000


def _response(frame: Payload) -> Response:
    match frame:
        case {"id": str(request_id), "ok": bool(ok)}:
            error = None if ok else _response_error(frame.get("error"))
            return Response(request_id, ok, _payload(frame), error)
    raise InvalidFrameError(
        "a response without its request or its outcome", code=NO_FRAME
    )


def _payload(frame: Payload) -> Json:
    payload = frame.get("payload")
    return {} if payload is None else payload


def _response_error(error: object) -> ResponseError:
    shape = error if isinstance(error, dict) else {}
    details = shape.get("details")
    details = details if isinstance(details, dict) else {}
    delay = shape.get("retryAfterMs", details.get("retryAfterMs"))
    return ResponseError(
        code=_safe_code(shape.get("code")) or "UNKNOWN",
        message=str(shape.get("message", "")),
        details=details,
        retryable=shape.get("retryable") is True,
        retry_after=seconds(delay),
    )


def _safe_code(code: object) -> str:
    return code if isinstance(code, str) and _SAFE_CODE.fullmatch(code) else ""


def _integer_or_float(digits: str) -> float | None:
    return int(digits) if len(digits) <= MAX_EXACT_DIGITS else _finite(digits)


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if isfinite(value) else None


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
