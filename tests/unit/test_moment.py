"""Moments across a change of the system's time."""

import time

import pytest

from custom_components.clawd.util.moment import MIN_JUMP, Moment
from tests.wall_clock import WallClock

HOURS = 5 * 3600.0
jumps = pytest.mark.parametrize("jump", [HOURS, -HOURS, MIN_JUMP + 1])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    """Return the wall clock."""
    return WallClock(monkeypatch)


@jumps
def test_a_jump_changes_no_age(clock: WallClock, jump: float) -> None:
    moments = Moment.now(), Moment.at(time.time() - 60), Moment.at(time.time() + 60)

    clock.jump(jump)

    assert [round(moment.age) for moment in moments] == [0, 60, -60]
    ages = [round(time.time() - moment.timestamp) for moment in moments]
    assert ages == [0, 60, -60]


def test_a_timestamp_stays_while_the_clock_is_only_slewed(clock: WallClock) -> None:
    moment = Moment.at(time.time() - 60)
    before = moment.timestamp

    clock.jump(MIN_JUMP - 1)

    assert moment.timestamp == before


@pytest.mark.parametrize(("seconds", "age"), [(60, 60), (0, 0), (-HOURS, 0)])
def test_no_stored_moment_is_in_the_future(seconds: float, age: float) -> None:
    assert round(Moment.stored(time.time() - seconds).age) == age


@pytest.mark.parametrize("timestamp", [float("nan"), -float("inf")])
def test_a_stored_moment_is_a_number(timestamp: float) -> None:
    with pytest.raises(ValueError, match=r"nan|inf"):
        Moment.stored(timestamp)
