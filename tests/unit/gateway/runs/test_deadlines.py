"""Deadlines of agent runs."""

from collections.abc import Iterator

import pytest

from custom_components.clawd.gateway import (
    ConnectionLostError,
    GatewayError,
    NotConnectedError,
    RequestTimeoutError,
    Timing,
)
from custom_components.clawd.gateway.runs.deadlines import RunDeadlines
from tests.unit.clock import ClockLoop

TIMING = Timing(run_timeout=100, run_idle_timeout=30, recovery_timeout=10)


class DeadlineHarness:
    """Deadlines on a manually advanced event loop."""

    def __init__(self, loop: ClockLoop) -> None:
        """Start the deadlines."""
        self.loop = loop
        self.errors: list[GatewayError] = []
        self.deadlines = loop.run_until_complete(self._start())

    def advance(self, seconds: float, *, with_events: bool = False) -> list[str]:
        """Advance the time and return the codes of expired deadlines."""
        for _ in range(round(seconds)):
            if with_events:
                self.receive_event()
            self.loop.advance(1)
        return [error.code or type(error).__name__ for error in self.errors]

    def receive_event(self) -> None:
        """Receive an event."""
        self.deadlines.last_event_at = self.loop.time()

    async def _start(self) -> RunDeadlines:
        return RunDeadlines(TIMING, self.errors.append, self.loop.time)


@pytest.fixture
def harness() -> Iterator[DeadlineHarness]:
    loop = ClockLoop()
    harness = DeadlineHarness(loop)
    yield harness
    harness.deadlines.stop()
    loop.close()


def test_idle_run_expires(harness: DeadlineHarness) -> None:
    assert harness.advance(29) == []
    assert harness.advance(1) == ["RUN_IDLE_TIMEOUT"]
    assert isinstance(harness.errors[0], RequestTimeoutError)


def test_long_run_expires(harness: DeadlineHarness) -> None:
    assert harness.advance(99, with_events=True) == []
    assert harness.advance(1, with_events=True) == ["RUN_TIMEOUT"]


def test_event_restarts_idle_timeout(harness: DeadlineHarness) -> None:
    harness.advance(20)
    harness.receive_event()
    assert harness.advance(29) == []
    assert harness.advance(1) == ["RUN_IDLE_TIMEOUT"]


def test_last_connection_error_does_not_extend_recovery(
    harness: DeadlineHarness,
) -> None:
    harness.deadlines.mark_disconnected(ConnectionLostError("x"))
    harness.advance(9)
    harness.deadlines.mark_disconnected(NotConnectedError("x", code="LAST"))
    assert harness.advance(1) == ["LAST"]


def test_more_time_outlives_silence_and_lost_connections(
    harness: DeadlineHarness,
) -> None:
    harness.advance(5)
    harness.deadlines.mark_disconnected(ConnectionLostError("x"))
    harness.deadlines.extend(50)
    assert harness.advance(44) == []
    assert harness.advance(1) == ["RUN_TIMEOUT"]


def test_age_from_before_the_start_counts(harness: DeadlineHarness) -> None:
    harness.deadlines.age_by(95)
    assert harness.advance(4, with_events=True) == []
    assert harness.advance(1, with_events=True) == ["RUN_TIMEOUT"]


def test_run_expires_without_reconnect(harness: DeadlineHarness) -> None:
    harness.deadlines.mark_disconnected(ConnectionLostError("x"))
    assert harness.advance(9) == []
    assert harness.advance(1) == ["ConnectionLostError"]


def test_second_disconnect_does_not_extend_recovery(harness: DeadlineHarness) -> None:
    harness.deadlines.mark_disconnected(ConnectionLostError("x"))
    harness.advance(5)
    harness.deadlines.mark_disconnected(ConnectionLostError("y"))
    assert harness.advance(5) == ["ConnectionLostError"]


def test_event_after_disconnect_ends_recovery_timeout(harness: DeadlineHarness) -> None:
    harness.deadlines.mark_disconnected(ConnectionLostError("x"))
    harness.advance(5)
    harness.receive_event()
    assert harness.advance(29) == []


def test_stopped_deadlines_do_not_expire(harness: DeadlineHarness) -> None:
    harness.deadlines.stop()
    assert harness.advance(200) == []


def test_age_of_run(harness: DeadlineHarness) -> None:
    harness.advance(7)
    assert harness.deadlines.age == 7
