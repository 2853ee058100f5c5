"""Recorded frames as templates."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

type Frame = dict[str, Any]

V3, V4 = 3, 4
WIRE = Path(__file__).parents[1] / "fixtures" / "wire"


@cache
def recording(protocol: int, name: str) -> tuple[Frame, ...]:
    """Return the lines of a recording."""
    path = WIRE / f"v{protocol}" / f"{name}.jsonl"
    return tuple(orjson.loads(line) for line in path.read_bytes().splitlines())


@cache
def _payloads_by_method(protocol: int, name: str) -> dict[str, bytes]:
    """Map each recorded method to its last payload, as JSON."""
    frames = [line["frame"] for line in recording(protocol, name) if "frame" in line]
    methods = {f["id"]: f["method"] for f in frames if f["type"] == "req"}
    return {
        methods[frame["id"]]: orjson.dumps(frame["payload"])
        for frame in frames
        if frame["type"] == "res" and frame["ok"] and frame["id"] in methods
    }


def payload(protocol: int, name: str, method: str) -> Frame:
    """Return a copy of a method's last recorded payload."""
    answer: Frame = orjson.loads(_payloads_by_method(protocol, name)[method])
    return answer


@cache
def recorded_methods(protocol: int) -> frozenset[str]:
    """Return the read-only methods with a recorded response."""
    return frozenset(_payloads_by_method(protocol, "rpc_survey")) - {"connect", "agent"}
