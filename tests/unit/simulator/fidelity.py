"""Comparison of simulator and recordings."""

from functools import cache

from tests.simulator.recordings import WIRE, recording
from tests.simulator.replay import Replay, Shapes, shapes

PROXY = {"X-Forwarded-For": "10.9.8.7"}

# A Gateway sends these at any time.
OPTIONAL = {
    ("event", name)
    for name in (
        "chat.metadata.changed",
        "health",
        "presence",
        "sessions.changed",
        "tick",
        "update.available",
        "voicewake.changed",
        "voicewake.routing.changed",
    )
}


@cache
def recorded_shapes(protocol: int) -> Shapes:
    """Return the shapes of the recorded frames by kind."""
    folder = WIRE / f"v{protocol}"
    return shapes(
        line["frame"]
        for path in folder.glob("*.jsonl")
        for line in recording(protocol, path.stem)
        if line.get("dir") == "in"
    )


def assert_matches_recordings(protocol: int, replay: Replay) -> None:
    """Compare kinds, keys and types of frames with recordings."""
    known = recorded_shapes(protocol)
    received = shapes(replay.client.frames)
    assert replay.kinds - set(received) <= OPTIONAL
    for kind, found in received.items():
        assert found <= known[kind], kind
