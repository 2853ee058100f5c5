"""Whatever bytes come, what reads frames returns or raises an error of the client."""

from collections.abc import Callable
from contextlib import suppress

from custom_components.clawd.gateway import Event, GatewayError, Hello
from custom_components.clawd.gateway.models import (
    Challenge,
    Policy,
    final_texts,
    run_result,
)
from custom_components.clawd.gateway.protocol.errors import error_from_response
from custom_components.clawd.gateway.protocol.frames import (
    Response,
    decode_frame,
    peek_event,
)
from custom_components.clawd.gateway.runs.request import RunRequest
from custom_components.clawd.gateway.runs.transcript import read_transcript
from tests.simulator.recordings import Frame

from .mutations import Dice, mutated

REQUEST = RunRequest("slow 40", "agent:main:x", run_id="r")

FRAMES = 100_000


def of_objects(payload: Frame) -> list[Callable[[], object]]:
    """Return what reads a payload that is an object."""
    return [
        lambda: Challenge.from_payload(payload),
        lambda: Policy.from_payload(payload),
        lambda: run_result("r", payload, "".join(final_texts(payload))),
    ]


def readers(frame: Response | Event) -> list[Callable[[], object]]:
    """Return all that may read a frame."""
    found: list[Callable[[], object]] = [
        lambda: Hello.from_payload(frame.payload),
        lambda: read_transcript(frame.payload, REQUEST, 0.0, 100),
    ]
    if isinstance(frame.payload, dict):
        found += of_objects(frame.payload)
    if isinstance(frame, Response) and (error := frame.error):
        found += [
            lambda: error_from_response(error, "connect"),
            lambda: str(error_from_response(error, "agent")),
        ]
    return found


def test_no_frame_raises_anything_but_an_error_of_the_client() -> None:
    valid = invalid = 0
    for data in mutated(Dice("decode"), FRAMES, lambda _: None):
        peek_event(data)
        try:
            frame = decode_frame(data)
        except GatewayError:
            invalid += 1
            continue
        valid += 1
        for read in readers(frame):
            with suppress(GatewayError):
                read()
    print(f"decoded: {valid} frames could be read, {invalid} could not")
    assert min(valid, invalid) > FRAMES / 10
