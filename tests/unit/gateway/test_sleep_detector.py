"""Detection of system sleep."""

from hypothesis import given, strategies as st

from custom_components.clawd.gateway.sleep_detector import MIN_CLOCK_JUMP, SleepDetector
from tests.unit.clock import Clock


def test_sleep_is_detected_once() -> None:
    clock = Clock()
    detector = clock.detector
    clock.wall += MIN_CLOCK_JUMP + 1
    assert detector.poll()
    assert not detector.poll()


def test_sleep_is_detected_after_long_uptime() -> None:
    now = 1e6
    detector = SleepDetector(lambda: now, lambda: 1e6)
    now += MIN_CLOCK_JUMP + 1
    assert detector.poll()


@given(st.floats(-1e9, MIN_CLOCK_JUMP))
def test_small_or_backward_clock_change_is_not_sleep(step: float) -> None:
    clock = Clock()
    detector = clock.detector
    clock.wall += step
    assert not detector.poll()


def test_equal_clock_advance_is_not_sleep() -> None:
    now = 0.0
    detector = SleepDetector(lambda: now, lambda: now)
    now = 1e6
    assert not detector.poll()
