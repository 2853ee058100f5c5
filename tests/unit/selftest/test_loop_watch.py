"""Event loop monitoring."""

import asyncio
from pathlib import Path
import sys
from time import perf_counter
from types import CodeType, FrameType, SimpleNamespace
from typing import Any

import pytest

from custom_components.clawd.selftest import detectors, loop_watch
from custom_components.clawd.selftest.loop_watch import (
    PACKAGE,
    Block,
    LoopWatch,
    Owner,
    Place,
    place_of,
)

OURS = Place(Owner.INTEGRATION, "Connection._receive (protocol/connection.py)")
SELF_TEST = Place(Owner.SELF_TEST, "contains_secret (clawd/redaction.py)")
OTHER = Place(Owner.OTHER, "update (sun/sensor.py)")

type Blocks = list[tuple[float, Place | None]]


def _lag(
    blocks: Blocks, seconds: float, earlier: tuple[float, ...] = (), *, frequent: bool
) -> detectors.Lag:
    watch: Any = SimpleNamespace(
        blocks=[Block(0.0, length, place) for length, place in blocks], seconds=seconds
    )
    samples = list(earlier)
    monitor: Any = SimpleNamespace(samples=samples, seconds=len(samples) + sum(earlier))
    return detectors.loop_lag(watch, monitor, frequent=frequent)


@pytest.mark.parametrize(
    ("blocks", "seconds", "late"),
    [
        ([], 1.0, False),
        ([0.06], 1.0, False),
        ([0.3], 1.5, False),
        ([0.2, 0.2], 1.5, True),
        ([0.06, 0.06], 1.0, False),
        ([2.0], 3.0, True),
        ([1.0], 11.0, False),
        ([0.3] * 4, 1.3, True),
        ([0.2] * 3, 3.0, True),
    ],
    ids=[
        "none",
        "hiccup",
        "long hiccup",
        "twice",
        "two hiccups",
        "2 s of 3 s",
        "a second in eleven",
        "0.3 s of 0.31 s",
        "0.2 s each second",
    ],
)
def test_lag_is_seen_whatever_its_shape(
    blocks: list[float], seconds: float, *, late: bool
) -> None:
    lag = _lag([(length, None) for length in blocks], seconds, frequent=False)

    assert lag.late is late
    assert lag.longest == max(blocks, default=0.0)
    assert lag.share == sum(blocks) / seconds


def test_a_block_in_each_look_is_more_than_a_hiccup() -> None:
    assert _lag([(0.06, None)] * 3, 9.0, frequent=True).late


@pytest.mark.parametrize(
    ("earlier", "late"),
    [
        ((0.0,) * 60, False),
        ((4.0, *(0.0,) * 56), False),
        ((4.0, 4.0, *(0.0,) * 112), True),
        ((0.2, 0.2, *(0.0,) * 56), False),
    ],
    ids=["on time", "once", "twice", "hiccups"],
)
def test_the_minutes_before_count(earlier: tuple[float, ...], *, late: bool) -> None:
    lag = _lag([], 1.0, earlier, frequent=False)

    assert lag.late is late
    assert lag.longest == max(earlier)


@pytest.mark.parametrize(
    ("places", "blocker"),
    [
        ([OURS, OURS, None], OURS),
        ([OTHER, OURS, OTHER], OTHER),
        ([None, None, OURS], None),
        ([None, None, None], None),
        ([SELF_TEST, SELF_TEST, OURS], OURS),
        ([SELF_TEST] * 3, None),
    ],
)
def test_who_blocks_for_most_of_the_time_is_named(
    places: list[Place | None], blocker: Place | None
) -> None:
    lag = _lag([(1.0, place) for place in places], 4.0, frequent=False)

    assert lag.blocker == blocker
    assert lag.late is (set(places) != {SELF_TEST})


def _frame(*files: str) -> FrameType | None:
    """Return a stack, innermost function first."""
    frame: Any = None
    for number, file in reversed(list(enumerate(files))):
        code = SimpleNamespace(co_filename=file, co_qualname=f"f{number}")
        frame = SimpleNamespace(f_code=code, f_back=frame)
    return frame  # type: ignore[no-any-return]


STDLIB = asyncio.__file__
HOME_ASSISTANT = "/lib/site-packages/homeassistant/core.py"
COMPONENT = "/lib/site-packages/homeassistant/components/sun/sensor.py"
CUSTOM = "/config/custom_components/other/store.py"
GATEWAY = f"{PACKAGE}gateway/client.py"
CHECK = f"{PACKAGE}selftest/checks/tasks.py"
SCRIPT = "/config/python_scripts/mine.py"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ((STDLIB,), Place(Owner.OTHER, "")),
        ((GATEWAY, STDLIB), Place(Owner.INTEGRATION, "f0 (gateway/client.py)")),
        ((STDLIB, GATEWAY, CHECK), Place(Owner.INTEGRATION, "f1 (gateway/client.py)")),
        ((STDLIB, CHECK, GATEWAY), Place(Owner.SELF_TEST, "f1 (checks/tasks.py)")),
        (
            (COMPONENT, HOME_ASSISTANT, GATEWAY),
            Place(Owner.OTHER, "f0 (sun/sensor.py)"),
        ),
        ((CUSTOM, HOME_ASSISTANT), Place(Owner.OTHER, "f0 (other/store.py)")),
        ((SCRIPT, STDLIB), Place(Owner.OTHER, "f0 (python_scripts/mine.py)")),
        ((SCRIPT, GATEWAY), Place(Owner.INTEGRATION, "f0 (python_scripts/mine.py)")),
        (("<string>", HOME_ASSISTANT), Place(Owner.OTHER, "")),
    ],
)
def test_the_innermost_component_is_to_blame(
    files: tuple[str, ...], place: Place
) -> None:
    assert place_of(_frame(*files)) == place


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def _work(seconds: float) -> None:
    """Take processor time."""
    end = perf_counter() + seconds
    while perf_counter() < end:
        continue


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "INTERVAL", 0.001)
    monkeypatch.setattr(loop_watch, "MAX_LAG", 0.01)
    monkeypatch.setattr(loop_watch, "STACK_INTERVAL", 0.001)


async def test_a_block_is_measured_and_its_place_found() -> None:
    with LoopWatch() as watch:
        start = watch.now()
        _work(0.1)
        overdue = watch.lag_since(start)
        await _turns(3)
        told = watch.lag_since(start)
        later = watch.lag_since(watch.now())

    assert overdue >= 0.03
    assert told >= 0.03
    assert later == 0.0
    # A busy machine may stop the loop once more, for less time.
    block = max(watch.blocks, key=lambda block: block.seconds)
    assert block.place == Place(Owner.OTHER, f"_work ({_here()})")


def _here() -> str:
    return "/".join(Path(__file__).parts[-2:])


async def test_a_watch_that_ended_sees_nothing_and_leaves_nothing() -> None:
    with LoopWatch() as watch:
        assert watch in loop_watch.RUNNING
        assert watch.seconds >= 0
        timer = watch.timer

    assert timer.cancelled()
    assert watch not in loop_watch.RUNNING
    assert watch.seconds == watch.now() == watch.lag_since(0.0) == 0.0


async def test_an_interpreter_that_shows_no_frames_finds_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(sys, "_current_frames")
    with LoopWatch() as watch:
        _work(0.03)
        await _turns(3)

    assert {block.place for block in watch.blocks} <= {None}


def test_code_without_a_folder_is_described() -> None:
    code = SimpleNamespace(co_filename="mine.py", co_qualname="run")
    frame: Any = SimpleNamespace(f_code=code, f_back=None)

    assert isinstance(_here.__code__, CodeType)
    assert place_of(frame).name == "run (-/mine.py)"
