"""When a run is given up."""

import asyncio
import time
from typing import TYPE_CHECKING

from .exceptions import GatewayError, RequestTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .models import Timing


class RunClock:
    """The deadlines of one run: its length, its silence, and a lost connection.

    One timer serves all of them; it is set anew when it fires, not at each event.
    `seen_at` is when the Gateway last told something of the run, as the clock
    says, which is `time.monotonic` unless it is given.
    """

    def __init__(
        self,
        timing: Timing,
        expire: Callable[[GatewayError], None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Start to count; `expire` gets the error that fits."""
        self._timing = timing
        self._expire = expire
        self._loop = asyncio.get_running_loop()
        self._now = clock or time.monotonic
        self._started_at = self.seen_at = self._now()
        self._lost: tuple[float, GatewayError] | None = None
        self._timer = self._arm()

    @property
    def age(self) -> float:
        """Return the seconds since the start."""
        return self._now() - self._started_at

    @property
    def timer(self) -> asyncio.TimerHandle:
        """Return the timer that is armed."""
        return self._timer

    def lose(self, error: GatewayError) -> None:
        """Note that there is no connection, with the error for the worst case.

        Only the first time since the last news counts, but the last error.
        """
        since = loss[0] if (loss := self._loss()) else self._now()
        self._lost = since, error
        self._rearm()

    def stop(self) -> None:
        """Count no more."""
        self._timer.cancel()

    def _loss(self) -> tuple[float, GatewayError] | None:
        """Return the loss, unless there were news since."""
        return self._lost if self._lost and self._lost[0] >= self.seen_at else None

    def _check(self) -> None:
        at, error = self._due()
        if self._now() >= at:
            self._expire(error)
        else:
            self._rearm()

    def _rearm(self) -> None:
        self._timer.cancel()
        self._timer = self._arm()

    def _arm(self) -> asyncio.TimerHandle:
        delay = self._due()[0] - self._now()
        return self._loop.call_later(delay, self._check)

    def _due(self) -> tuple[float, GatewayError]:
        """Return the earliest deadline and what has happened when it passes."""
        dues: list[tuple[float, GatewayError]] = [
            (
                self._started_at + self._timing.run,
                RequestTimeoutError("the run took too long", code="RUN_TIMEOUT"),
            ),
            (
                self.seen_at + self._timing.run_silence,
                RequestTimeoutError("the run fell silent", code="RUN_SILENT"),
            ),
        ]
        if loss := self._loss():
            lost_at, error = loss
            dues.append((lost_at + self._timing.keep_run, error))
        return min(dues, key=lambda due: due[0])
