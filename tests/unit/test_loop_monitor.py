"""Event loop monitor."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_components.clawd.util.loop_monitor import MAX_SAMPLES, LoopMonitor


class Timer:
    """Timer that fires when a test says so."""

    def __init__(self, due: float, fire: Callable[[], None]) -> None:
        """Arm the timer."""
        self.due, self.fire = due, fire
        self.cancelled = False

    def cancel(self) -> None:
        """Cancel the timer."""
        self.cancelled = True


class Loop:
    """Event loop with one timer, which fires as late as a test says."""

    timer: Timer

    def __init__(self) -> None:
        """Start at zero."""
        self.now = 0.0

    def time(self) -> float:
        """Return the time."""
        return self.now

    def call_at(self, due: float, call: Callable[..., None], *args: object) -> Timer:
        """Arm the timer."""
        self.timer = Timer(due, lambda: call(*args))
        return self.timer

    def block(self, seconds: float) -> None:
        """Fire the timer so much too late."""
        self.now = self.timer.due + seconds
        self.timer.fire()


@pytest.fixture
def loop() -> Any:  # noqa: ANN401 - stands for an event loop
    return Loop()


def test_each_long_block_is_seen(loop: Any) -> None:  # noqa: ANN401 - the same
    monitor = LoopMonitor()
    stop = monitor.start(loop)

    for seconds in (0.0, 2.0, 0.25):
        loop.block(seconds)

    assert list(monitor.samples) == [0.0, 2.0, 0.25]
    assert monitor.seconds == 3 + 2.25
    stop()


def test_a_timer_that_a_test_fires_early_is_no_lag(loop: Any) -> None:  # noqa: ANN401
    monitor = LoopMonitor()
    stop = monitor.start(loop)

    loop.block(-0.5)

    assert list(monitor.samples) == [0.0]
    stop()


def test_only_the_last_minutes_are_kept(loop: Any) -> None:  # noqa: ANN401 - the same
    monitor = LoopMonitor()
    stop = monitor.start(loop)

    for _ in range(MAX_SAMPLES + 5):
        loop.block(0.0)

    assert len(monitor.samples) == MAX_SAMPLES
    stop()


def test_a_monitor_that_is_stopped_leaves_no_timer(loop: Any) -> None:  # noqa: ANN401
    monitor = LoopMonitor()
    stop = monitor.start(loop)
    armed: Any = monitor.timer

    stop()
    stop()

    assert armed is loop.timer
    assert armed.cancelled
    assert monitor.timer is None
