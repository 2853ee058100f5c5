"""A system sleep is seen by the clock that went on meanwhile."""

from hypothesis import given, strategies as st

from custom_components.clawd.gateway.sleep_detector import MIN_CLOCK_JUMP, SleepDetector
from tests.unit.clock import Clock


def test_a_suspension_is_seen_once() -> None:
    clock = Clock()
    watch = clock.watch
    clock.wall += MIN_CLOCK_JUMP + 1
    assert watch.poll()
    assert not watch.poll()


def test_a_suspension_is_seen_however_long_the_machine_runs() -> None:
    now = 1e6
    watch = SleepDetector(lambda: now, lambda: 1e6)
    now += MIN_CLOCK_JUMP + 1
    assert watch.poll()


@given(st.floats(-1e9, MIN_CLOCK_JUMP))
def test_a_clock_that_is_set_a_little_or_back_is_no_suspension(step: float) -> None:
    clock = Clock()
    watch = clock.watch
    clock.wall += step
    assert not watch.poll()


def test_time_that_both_clocks_see_is_no_suspension() -> None:
    now = 0.0
    watch = SleepDetector(lambda: now, lambda: now)
    now = 1e6
    assert not watch.poll()
