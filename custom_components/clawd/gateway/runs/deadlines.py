"""Deadlines of a run."""

import asyncio
from dataclasses import replace
import time
from typing import TYPE_CHECKING

from ..exceptions import GatewayError, RunTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models import Timing


class RunDeadlines:
    """Deadlines of one run.

    One timer serves all of them. It is re-armed when it fires, not at each event.

    Attributes:
        last_event_at: time of the last event, of the monotonic clock.

    """

    def __init__(
        self,
        timing: Timing,
        expire: Callable[[GatewayError], None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Arm the timer.

        `expire` gets the error of the passed deadline.
        """
        self._timing = timing
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._now = clock or time.monotonic
        self._started_at = self.last_event_at = self._now()
        self._disconnected: tuple[float, GatewayError] | None = None
        self._timer = self._arm()

    @property
    def age(self) -> float:
        """Return the seconds since the start."""
        return self._now() - self._started_at

    @property
    def timer(self) -> asyncio.TimerHandle:
        """Return the armed timer."""
        return self._timer

    def mark_disconnected(self, error: GatewayError) -> None:
        """Start the deadline for disconnected runs.

        The last error counts, but the first time since the last event.
        """
        known = self._loss()
        since = known[0] if known else self._now()
        self._disconnected = since, error
        self._rearm()

    def extend(self, seconds: float) -> None:
        """Extend all deadlines to `seconds` after the start."""
        self._timing = replace(
            self._timing,
            run_timeout=seconds,
            run_idle_timeout=seconds,
            recovery_timeout=seconds,
        )
        self._rearm()

    def age_by(self, seconds: float) -> None:
        """Count seconds from before the start."""
        self._started_at -= seconds
        self._rearm()

    def stop(self) -> None:
        """Cancel the timer."""
        self._timer.cancel()

    def _loss(self) -> tuple[float, GatewayError] | None:
        """Return time and error of the disconnect."""
        loss = self._disconnected
        return loss if loss and loss[0] >= self.last_event_at else None

    def _check(self) -> None:
        at, error = self._next()
        if self._now() >= at:
            self._expire(error)
        else:
            self._rearm()

    def _rearm(self) -> None:
        self._timer.cancel()
        self._timer = self._arm()

    def _arm(self) -> asyncio.TimerHandle:
        delay = self._next()[0] - self._now()
        return self._loop.call_later(delay, self._check)

    def _next(self) -> tuple[float, GatewayError]:
        """Return the earliest deadline and its error."""
        deadlines: list[tuple[float, GatewayError]] = [
            (
                self._started_at + self._timing.run_timeout,
                RunTimeoutError("the run took too long", code="RUN_TIMEOUT"),
            ),
            (
                self.last_event_at + self._timing.run_idle_timeout,
                RunTimeoutError("no event of the run", code="RUN_IDLE_TIMEOUT"),
            ),
        ]
        if loss := self._loss():
            lost_at, error = loss
            deadlines.append((lost_at + self._timing.recovery_timeout, error))
        return min(deadlines, key=lambda deadline: deadline[0])
