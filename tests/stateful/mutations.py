"""Mutations of recorded frames."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import shake_128
from itertools import count
import struct
from typing import Any, Final

import orjson

from tests.simulator.recordings import WIRE, Frame, recording

BLOCK: Final = 4_096

# Wrong types, numbers at the limits of parsers and clocks, and large values.
ODD_VALUES: Final = tuple(
    map(
        orjson.dumps,
        (
            None,
            True,
            False,
            0,
            -1,
            1,
            2**53,
            2**63,
            2**64 - 1,
            -(2**63),
            0.5,
            1e308,
            "",
            "x",
            "\x00",
            "\u2028",
            "\U0010ffff",
            "accepted",
            "ok",
            "timeout",
            "agent",
            [],
            {},
            [[]],
            [{}],
            [None],
            {"": None},
            {"text": []},
            {"code": {}},
            "x" * 5_000,
            ["x"] * 500,
            {str(number): number for number in range(500)},
        ),
    )
)
# Bytes that orjson never writes: invalid UTF-8, lone surrogates, deep nesting.
ODD_BYTES: Final = (
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\x00",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b",",
    b'"\\ud800"',
    b"1e999",
    b"-0",
    b"9" * 400,
    b"NaN",
    b"0x1",
    b"\xef\xbb\xbf",
    b"[" * 1_030,
    b'{"a":' * 1_030,
    b"[" * 300 + b"]" * 300,
    b"[" * 50_000,
    b',"seq":1',
    b',"type":"res"',
    b',"payload":null',
    b',"id":"1"',
    b"x" * 70_000,
)
DEPTHS: Final = (10, 300, 900, 1_015, 1_022, 1_030, 5_000)
DEEP_FIELDS: Final = (b',"payload":', b',"error":', b',"id":', b',"deep":')
NAMES: Final = (
    "agent",
    "chat",
    "tick",
    "shutdown",
    "connect.challenge",
    "nobody",
    "res",
    "event",
    "assistant",
    "lifecycle",
    "item",
    "tool",
    "start",
    "end",
    "error",
)


class SeededRandom:
    """Deterministic pseudorandom numbers."""

    def __init__(self, seed: str) -> None:
        """Start with the first number of a seed."""
        self._numbers = self._generate(seed)

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        return next(self._numbers) % limit

    def choose[T](self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def _generate(self, seed: str) -> Iterator[int]:
        for block in count():
            digest = shake_128(f"{seed} {block}".encode()).digest(4 * BLOCK)
            yield from struct.unpack(f"{BLOCK}I", digest)


@cache
def recorded_frames() -> tuple[bytes, ...]:
    """Return each frame received in the recordings."""
    lines = [
        line
        for path in sorted(WIRE.glob("*/*.jsonl"))
        for line in recording(int(path.parent.name[1:]), path.stem)
    ]
    frames = [line["frame"] for line in lines if line.get("dir") == "in"]
    return tuple(dict.fromkeys(orjson.dumps(frame) for frame in frames))


def mutated_frames(
    rng: SeededRandom, number: int, retarget: Callable[[Frame], None]
) -> Iterator[bytes]:
    """Yield recorded frames with up to three mutations each.

    `retarget` may change the ids in a frame.
    """
    for _ in range(number):
        frame = orjson.loads(rng.choose(recorded_frames()))
        retarget(frame)
        for _ in range(rng.below(3)):
            rng.choose(VALUE_MUTATIONS)(rng, frame)
        data = orjson.dumps(frame)
        yield rng.choose(BYTE_MUTATIONS)(rng, data)


def _pick_key(rng: SeededRandom, frame: Frame) -> tuple[Any, Any]:
    """Return a random container of a frame, and a key."""
    container: Any = frame
    while True:
        keys = list(container) if isinstance(container, dict) else range(len(container))
        key = rng.choose(keys)
        inner = container[key]
        if not (isinstance(inner, dict | list) and inner) or not rng.below(4):
            return container, key
        container = inner


def _odd_value(rng: SeededRandom) -> object:
    return orjson.loads(rng.choose(ODD_VALUES))


def _set_odd_value(rng: SeededRandom, frame: Frame) -> None:
    container, key = _pick_key(rng, frame)
    container[key] = _odd_value(rng)


def _set_name(rng: SeededRandom, frame: Frame) -> None:
    container, key = _pick_key(rng, frame)
    container[key] = rng.choose(NAMES)


def _remove_key(rng: SeededRandom, frame: Frame) -> None:
    container, key = _pick_key(rng, frame)
    if container is not frame:
        del container[key]


def _copy(rng: SeededRandom, frame: Frame) -> None:
    (one, key), (other, other_key) = (_pick_key(rng, frame) for _ in range(2))
    other[other_key] = orjson.loads(orjson.dumps(one[key]))


def _reorder(_: SeededRandom, frame: Frame) -> None:
    for key in reversed(tuple(frame)):
        frame[key] = frame.pop(key)


def _renumber(rng: SeededRandom, frame: Frame) -> None:
    frame["seq"] = _odd_value(rng)
    if isinstance(payload := frame.get("payload"), dict):
        payload["seq"] = rng.below(2**32) >> rng.below(32)


def _rename(rng: SeededRandom, frame: Frame) -> None:
    container, key = _pick_key(rng, frame)
    if isinstance(container, dict):
        container[rng.choose(NAMES)] = container[key]


def _nest(rng: SeededRandom, frame: Frame) -> None:
    container, key = _pick_key(rng, frame)
    for _ in range(rng.below(80)):
        container[key] = [container[key]]


VALUE_MUTATIONS: Final = (
    _set_odd_value,
    _set_odd_value,
    _set_name,
    _remove_key,
    _copy,
    _reorder,
    _renumber,
    _rename,
    _nest,
)


def _keep(_: SeededRandom, data: bytes) -> bytes:
    return data


def _flip(rng: SeededRandom, data: bytes) -> bytes:
    flipped = bytearray(data)
    for _ in range(1 + rng.below(4)):
        flipped[rng.below(len(data))] ^= 1 << rng.below(8)
    return bytes(flipped)


def _truncate(rng: SeededRandom, data: bytes) -> bytes:
    return data[: rng.below(len(data))]


def _remove_bytes(rng: SeededRandom, data: bytes) -> bytes:
    start = rng.below(len(data))
    return data[:start] + data[start + rng.below(40) :]


def _repeat(rng: SeededRandom, data: bytes) -> bytes:
    start = rng.below(len(data))
    return data[:start] + data[start : start + rng.below(200)] + data[start:]


def _insert(rng: SeededRandom, data: bytes) -> bytes:
    start = rng.below(len(data) + 1)
    return data[:start] + rng.choose(ODD_BYTES) + data[start:]


def _duplicate_field(rng: SeededRandom, data: bytes) -> bytes:
    """Append a field that the frame may already have."""
    odd = orjson.dumps({rng.choose(("type", "id", "event", "payload", "ok")): None})
    return data[:-1] + b"," + odd[1:]


def _deepen(rng: SeededRandom, data: bytes) -> bytes:
    """Append a deeply nested field, possibly beyond parser limits."""
    name, depth = rng.choose(DEEP_FIELDS), rng.choose(DEPTHS)
    opening, closing = rng.choose(((b"[", b"]"), (b'{"message":', b"}")))
    return data[:-1] + name + opening * depth + b"0" + closing * depth + b"}"


# `_keep` four times leaves the bytes of a third of the frames valid.
BYTE_MUTATIONS: Final = (
    _keep,
    _keep,
    _keep,
    _keep,
    _flip,
    _truncate,
    _remove_bytes,
    _repeat,
    _insert,
    _insert,
    _duplicate_field,
    _deepen,
)
