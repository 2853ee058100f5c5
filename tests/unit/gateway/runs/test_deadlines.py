"""A run is given up when it lasts, falls silent, or nobody comes back to it."""

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


class Run:
    """A clock on a loop whose time is moved by hand."""

    def __init__(self, loop: ClockLoop) -> None:
        """Start the clock."""
        self.loop = loop
        self.errors: list[GatewayError] = []
        self.clock = loop.run_until_complete(self._start())

    def pass_time(self, seconds: float, *, alive: bool = False) -> list[str]:
        """Move the time and return the codes of what has expired."""
        for _ in range(round(seconds)):
            if alive:
                self.tell()
            self.loop.advance(1)
        return [error.code or type(error).__name__ for error in self.errors]

    def tell(self) -> None:
        """Let the Gateway tell something."""
        self.clock.last_event_at = self.loop.time()

    async def _start(self) -> RunDeadlines:
        return RunDeadlines(TIMING, self.errors.append, self.loop.time)


@pytest.fixture
def run() -> Iterator[Run]:
    loop = ClockLoop()
    run = Run(loop)
    yield run
    run.clock.stop()
    loop.close()


def test_idle_run_expires(run: Run) -> None:
    assert run.pass_time(29) == []
    assert run.pass_time(1) == ["RUN_IDLE_TIMEOUT"]
    assert isinstance(run.errors[0], RequestTimeoutError)


def test_long_run_expires(run: Run) -> None:
    assert run.pass_time(99, alive=True) == []
    assert run.pass_time(1, alive=True) == ["RUN_TIMEOUT"]


def test_event_restarts_idle_timeout(run: Run) -> None:
    run.pass_time(20)
    run.tell()
    assert run.pass_time(29) == []
    assert run.pass_time(1) == ["RUN_IDLE_TIMEOUT"]


def test_last_connection_error_does_not_extend_recovery(run: Run) -> None:
    run.clock.mark_disconnected(ConnectionLostError("x"))
    run.pass_time(9)
    run.clock.mark_disconnected(NotConnectedError("x", code="LAST"))
    assert run.pass_time(1) == ["LAST"]


def test_run_expires_without_reconnect(run: Run) -> None:
    run.clock.mark_disconnected(ConnectionLostError("x"))
    assert run.pass_time(9) == []
    assert run.pass_time(1) == ["ConnectionLostError"]


def test_second_disconnect_does_not_extend_recovery(run: Run) -> None:
    run.clock.mark_disconnected(ConnectionLostError("x"))
    run.pass_time(5)
    run.clock.mark_disconnected(ConnectionLostError("y"))
    assert run.pass_time(5) == ["ConnectionLostError"]


def test_event_after_disconnect_ends_recovery_timeout(run: Run) -> None:
    run.clock.mark_disconnected(ConnectionLostError("x"))
    run.pass_time(5)
    run.tell()
    assert run.pass_time(29) == []


def test_stopped_deadlines_do_not_expire(run: Run) -> None:
    run.clock.stop()
    assert run.pass_time(200) == []


def test_age_of_run(run: Run) -> None:
    run.pass_time(7)
    assert run.clock.age == 7
