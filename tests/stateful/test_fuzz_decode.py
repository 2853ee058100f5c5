"""Fuzz test of the functions that parse frames."""

from collections.abc import Callable
from contextlib import suppress

from custom_components.clawd.gateway import Event, GatewayError, Hello
from custom_components.clawd.gateway.models import Challenge, Policy
from custom_components.clawd.gateway.protocol.error_codes import error_from_response
from custom_components.clawd.gateway.protocol.frames import (
    Response,
    decode_frame,
    peek_event,
)
from custom_components.clawd.gateway.run_result import final_texts, run_result
from custom_components.clawd.gateway.runs.request import RunRequest
from custom_components.clawd.gateway.runs.transcript import read_transcript
from tests.simulator.recordings import Frame

from .mutations import SeededRandom, mutated_frames

REQUEST = RunRequest("slow 40", "agent:main:x", run_id="r")

FRAMES = 100_000


def payload_parsers(payload: Frame) -> list[Callable[[], object]]:
    """Return the parsers of an object payload."""
    return [
        lambda: Challenge.from_payload(payload),
        lambda: Policy.from_payload(payload),
        lambda: run_result("r", payload, "".join(final_texts(payload))),
    ]


def parsers(frame: Response | Event) -> list[Callable[[], object]]:
    """Return all parsers of a frame."""
    functions: list[Callable[[], object]] = [
        lambda: Hello.from_payload(frame.payload),
        lambda: read_transcript(frame.payload, REQUEST, 0.0, 100),
    ]
    if isinstance(frame.payload, dict):
        functions += payload_parsers(frame.payload)
    if isinstance(frame, Response) and (error := frame.error):
        functions += [
            lambda: error_from_response(error, "connect"),
            lambda: str(error_from_response(error, "agent")),
        ]
    return functions


def test_mutated_frames_raise_only_gateway_errors() -> None:
    valid = invalid = 0
    for data in mutated_frames(SeededRandom("decode"), FRAMES, lambda _: None):
        peek_event(data)
        try:
            frame = decode_frame(data)
        except GatewayError:
            invalid += 1
            continue
        valid += 1
        for parse in parsers(frame):
            with suppress(GatewayError):
                parse()
    print(f"decoded: {valid} frames valid, {invalid} invalid")
    assert min(valid, invalid) > FRAMES / 10
