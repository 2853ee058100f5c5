"""Encoding and decoding of frames."""

import json
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.clawd.gateway.exceptions import InvalidFrameError
from custom_components.clawd.gateway.protocol.frames import (
    Event,
    Request,
    Response,
    ResponseError,
    decode_frame,
    encode_request,
    peek_event,
)
from tests.simulator.recordings import WIRE, recording

RECORDINGS = sorted(
    (int(path.parent.name[1:]), path.stem) for path in WIRE.glob("*/*.jsonl")
)


def decode_error(error: object) -> ResponseError:
    frame = {"type": "res", "id": "1", "ok": False, "error": error}
    response = decode_frame(orjson.dumps(frame))
    assert isinstance(response, Response)
    assert response.error is not None
    return response.error


def test_request_is_encoded_as_json() -> None:
    data = encode_request(Request("7", "health", {"probe": True}))
    assert orjson.loads(data) == {
        "type": "req",
        "id": "7",
        "method": "health",
        "params": {"probe": True},
    }


@pytest.mark.parametrize(
    ("value", "sent"),
    [("half of \ud83d", "half of \ufffd"), ("\udc00", "\ufffd"), (2**70, 2**70)],
)
def test_request_falls_back_to_standard_json(value: str | int, sent: str | int) -> None:
    data = encode_request(Request("7", "agent", {"message": value}))
    assert json.loads(data)["params"] == {"message": sent}


@pytest.mark.parametrize(("protocol", "name"), RECORDINGS)
def test_recorded_frames_are_decoded(protocol: int, name: str) -> None:
    for line in recording(protocol, name):
        if line.get("dir") != "in":
            continue
        recorded = line["frame"]
        frame = decode_frame(orjson.dumps(recorded))
        assert frame.payload == (recorded.get("payload") or {})
        if isinstance(frame, Event):
            assert (frame.name, frame.seq) == (recorded["event"], recorded.get("seq"))
        else:
            assert (frame.id, frame.ok) == (recorded["id"], recorded["ok"])


@pytest.mark.parametrize("payload", [[], [{"host": "a"}], "text", 7, True])
def test_response_payload_may_be_any_json(payload: object) -> None:
    frame = {"type": "res", "id": "1", "ok": True, "payload": payload}
    assert decode_frame(orjson.dumps(frame)) == Response("1", True, payload, None)  # noqa: FBT003 - as on the wire


@pytest.mark.parametrize("payload", [{}, {"payload": None}])
def test_missing_payload_is_empty(payload: dict[str, Any]) -> None:
    event = decode_frame(orjson.dumps({"type": "event", "event": "tick", **payload}))
    response = decode_frame(
        orjson.dumps({"type": "res", "id": "1", "ok": True} | payload)
    )
    assert (event.payload, response.payload) == ({}, {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"req","id":"1","method":"health"}',
        b'{"type":"event","event":7}',
        b'{"type":"event","event":"tick","payload":[]}',
        b'{"type":"res","id":7,"ok":true}',
        b'{"type":"res","id":"7","ok":"yes"}',
        b'{"type":"res","id":"7"}',
    ],
)
def test_invalid_frame_is_rejected(data: bytes) -> None:
    with pytest.raises(InvalidFrameError):
        decode_frame(data)


@given(st.binary() | st.text())
def test_any_data_raises_only_invalid_frame_error(data: bytes | str) -> None:
    try:
        decode_frame(data)
    except InvalidFrameError:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "event", "payload", "seq", "id", "ok", "error", "details"]
                ),
                inner | st.sampled_from(["res", "event"]),
                max_size=4,
            )
        ),
        max_leaves=10,
    )
)
def test_any_json_raises_only_invalid_frame_error(value: object) -> None:
    try:
        decode_frame(orjson.dumps(value))
    except InvalidFrameError:
        return


@pytest.mark.parametrize("seq", [None, True, "3", 1.5, []])
def test_sequence_number_must_be_integer(seq: object) -> None:
    frame = decode_frame(orjson.dumps({"type": "event", "event": "tick", "seq": seq}))
    assert isinstance(frame, Event)
    assert frame.seq is None


def test_error_has_code_details_and_retry_after() -> None:
    error = decode_error(
        {
            "code": "UNAVAILABLE",
            "message": "gateway starting",
            "details": {"reason": "startup-sidecars", "code": "STARTING"},
            "retryable": True,
            "retryAfterMs": 1500,
        }
    )
    assert (error.code, error.detail_code) == ("UNAVAILABLE", "STARTING")
    assert (error.retryable, error.retry_after) == (True, 1.5)
    assert error.detail("reason", str) == "startup-sidecars"
    assert error.detail("reason", int) is None
    assert error.detail("absent", str) is None


def test_retry_after_is_read_from_details() -> None:
    assert decode_error({"details": {"retryAfterMs": 250}}).retry_after == 0.25


@pytest.mark.parametrize("delay", [None, "soon", True, 1.5])
def test_invalid_retry_after_is_none(delay: object) -> None:
    assert decode_error({"retryAfterMs": delay}).retry_after is None


def test_retry_after_is_not_negative() -> None:
    assert decode_error({"retryAfterMs": -5}).retry_after == 0


@pytest.mark.parametrize("error", [None, [], "broken", {"details": []}, {}])
def test_malformed_error_is_unknown(error: object) -> None:
    read = decode_error(error)
    assert (read.code, read.detail_code, read.details) == ("UNKNOWN", "", {})
    assert read.message == ""


@pytest.mark.parametrize("code", ["a sentence", "lower", "", "X" * 65, 7, None])
def test_malformed_error_code_is_dropped(code: object) -> None:
    error = decode_error({"code": code, "details": {"code": code}})
    assert (error.code, error.detail_code) == ("UNKNOWN", "")


def test_frame_repr_hides_content() -> None:
    secret = {"text": "the-secret"}
    error = ResponseError("CODE", "the-secret", secret, False, None)  # noqa: FBT003 - as on the wire
    shown = repr(
        [
            Request("1", "agent", secret),
            Response("1", False, secret, error),  # noqa: FBT003 - as on the wire
            Event("agent", secret, 1),
        ]
    )
    assert "the-secret" not in shown


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"type":"event","event":"health","payload":{}}', "health"),
        (b'{"type":"event","event":"node.invoke.request","pay', "node.invoke.request"),
        (b'{"type":"event","event":"","payload":{}}', None),
        (b'{"type":"event","event":"the secret', None),
        (b'{"type":"event","event":"the secret","payload":{}}', None),
        (b'{"type":"event","event":"a\\u0067ent","payload":{}}', None),
        (b'{"type":"event","event":"' + b"x" * 65 + b'"}', None),
        (b'{"type":"event", "event":"health"}', None),
        (b'{"event":"health","type":"event"}', None),
        (b'{"type":"res","id":"1","ok":true}', None),
        (b"", None),
    ],
)
def test_peek_event_name(data: bytes, name: str | None) -> None:
    assert peek_event(data) == name
