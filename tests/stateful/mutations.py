"""Frames that were recorded, with something wrong in them."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import shake_128
from itertools import count
import struct
from typing import Any, Final

import orjson

from tests.simulator.recordings import WIRE, Frame, recording

BLOCK: Final = 4_096

# Wrong types, numbers at the limits of parsers and clocks, and much of a thing.
ODD_VALUES: Final = (
    *map(
        orjson.dumps,
        (
            *(
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
            ),
            *(
                "",
                "x",
                "\x00",
                "\u2028",
                "\U0010ffff",
                "accepted",
                "ok",
                "timeout",
                "agent",
            ),
            *([], {}, [[]], [{}], [None], {"": None}, {"text": []}, {"code": {}}),
            *("x" * 5_000, ["x"] * 500, {str(number): number for number in range(500)}),
        ),
    ),
)
# What orjson does not write: bytes that are no UTF-8, halves of characters, …
ODD_BYTES: Final = (
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x00", b'"', b"\\", b"{", b"}", b"[", b","),
    *(b'"\\ud800"', b"1e999", b"-0", b"9" * 400, b"NaN", b"0x1", b"\xef\xbb\xbf"),
    *(b"[" * 1_030, b'{"a":' * 1_030, b"[" * 300 + b"]" * 300, b"[" * 50_000),
    *(b',"seq":1', b',"type":"res"', b',"payload":null', b',"id":"1"', b"x" * 70_000),
)
DEPTHS: Final = (10, 300, 900, 1_015, 1_022, 1_030, 5_000)
DEEP_FIELDS: Final = (b',"payload":', b',"error":', b',"id":', b',"deep":')
NAMES: Final = (
    *("agent", "chat", "tick", "shutdown", "connect.challenge", "nobody", "res"),
    *("event", "assistant", "lifecycle", "item", "tool", "start", "end", "error"),
)


class Dice:
    """Numbers that look thrown and are the same each time."""

    def __init__(self, seed: str) -> None:
        """Start at the first one."""
        self._numbers = self._throw(seed)

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        return next(self._numbers) % limit

    def choose[T](self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def _throw(self, seed: str) -> Iterator[int]:
        for block in count():
            digest = shake_128(f"{seed} {block}".encode()).digest(4 * BLOCK)
            yield from struct.unpack(f"{BLOCK}I", digest)


@cache
def recorded_frames() -> tuple[bytes, ...]:
    """Return each frame that a Gateway was seen to send."""
    lines = [
        line
        for path in sorted(WIRE.glob("*/*.jsonl"))
        for line in recording(int(path.parent.name[1:]), path.stem)
    ]
    frames = [line["frame"] for line in lines if line.get("dir") == "in"]
    return tuple(dict.fromkeys(orjson.dumps(frame) for frame in frames))


def mutated(
    dice: Dice, number: int, address: Callable[[Frame], None]
) -> Iterator[bytes]:
    """Return recorded frames, each with one to three mutations.

    `address` may change whom a frame is for.
    """
    for _ in range(number):
        frame = orjson.loads(dice.choose(recorded_frames()))
        address(frame)
        for _ in range(dice.below(3)):
            dice.choose(OF_VALUES)(dice, frame)
        data = orjson.dumps(frame)
        yield dice.choose(OF_BYTES)(dice, data)


def _somewhere(dice: Dice, frame: Frame) -> tuple[Any, Any]:
    """Return a container inside a frame, and one of its keys."""
    place: Any = frame
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = dice.choose(keys)
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner) or not dice.below(4):
            return place, key
        place = inner


def _odd_value(dice: Dice) -> object:
    return orjson.loads(dice.choose(ODD_VALUES))


def _put_odd_value(dice: Dice, frame: Frame) -> None:
    place, key = _somewhere(dice, frame)
    place[key] = _odd_value(dice)


def _put_name(dice: Dice, frame: Frame) -> None:
    place, key = _somewhere(dice, frame)
    place[key] = dice.choose(NAMES)


def _leave_out(dice: Dice, frame: Frame) -> None:
    place, key = _somewhere(dice, frame)
    if place is not frame:
        del place[key]


def _copy(dice: Dice, frame: Frame) -> None:
    (one, key), (other, other_key) = (_somewhere(dice, frame) for _ in range(2))
    other[other_key] = orjson.loads(orjson.dumps(one[key]))


def _reorder(_: Dice, frame: Frame) -> None:
    for key in reversed(tuple(frame)):
        frame[key] = frame.pop(key)


def _renumber(dice: Dice, frame: Frame) -> None:
    frame["seq"] = _odd_value(dice)
    if isinstance(payload := frame.get("payload"), dict):
        payload["seq"] = dice.below(2**32) >> dice.below(32)


def _rename(dice: Dice, frame: Frame) -> None:
    place, key = _somewhere(dice, frame)
    if isinstance(place, dict):
        place[dice.choose(NAMES)] = place[key]


def _nest(dice: Dice, frame: Frame) -> None:
    place, key = _somewhere(dice, frame)
    for _ in range(dice.below(80)):
        place[key] = [place[key]]


OF_VALUES: Final = (
    _put_odd_value,
    _put_odd_value,
    _put_name,
    _leave_out,
    _copy,
    _reorder,
    _renumber,
    _rename,
    _nest,
)


def _leave(_: Dice, data: bytes) -> bytes:
    return data


def _flip(dice: Dice, data: bytes) -> bytes:
    flipped = bytearray(data)
    for _ in range(1 + dice.below(4)):
        flipped[dice.below(len(data))] ^= 1 << dice.below(8)
    return bytes(flipped)


def _truncate(dice: Dice, data: bytes) -> bytes:
    return data[: dice.below(len(data))]


def _cut_out(dice: Dice, data: bytes) -> bytes:
    start = dice.below(len(data))
    return data[:start] + data[start + dice.below(40) :]


def _repeat(dice: Dice, data: bytes) -> bytes:
    start = dice.below(len(data))
    return data[:start] + data[start : start + dice.below(200)] + data[start:]


def _insert(dice: Dice, data: bytes) -> bytes:
    start = dice.below(len(data) + 1)
    return data[:start] + dice.choose(ODD_BYTES) + data[start:]


def _say_twice(dice: Dice, data: bytes) -> bytes:
    """Put a field behind all others, where it may be there for the second time."""
    odd = orjson.dumps({dice.choose(("type", "id", "event", "payload", "ok")): None})
    return data[:-1] + b"," + odd[1:]


def _deepen(dice: Dice, data: bytes) -> bytes:
    """Put something deep behind all other fields, maybe beyond what parsers take."""
    name, depth = dice.choose(DEEP_FIELDS), dice.choose(DEPTHS)
    opening, closing = dice.choose(((b"[", b"]"), (b'{"message":', b"}")))
    return data[:-1] + name + opening * depth + b"0" + closing * depth + b"}"


OF_BYTES: Final = (
    *(_leave, _leave, _leave, _leave, _flip, _truncate, _cut_out, _repeat, _insert),
    *(_insert, _say_twice, _deepen),
)
