"""Monitor of the event loop's lag."""

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

INTERVAL: Final = 1.0
MAX_SAMPLES: Final = 300  # five minutes


class LoopMonitor:
    """Event loop lag over the last minutes.

    One timer a second detects each block longer than its interval, in any rhythm.

    Attributes:
        samples: the last lags in seconds, oldest first.
        timer: the armed timer, while the monitor runs.

    """

    def __init__(self) -> None:
        """Initialize without samples."""
        self.samples: deque[float] = deque(maxlen=MAX_SAMPLES)
        self.timer: asyncio.TimerHandle | None = None

    @property
    def seconds(self) -> float:
        """Return the time covered by the samples."""
        return sum(INTERVAL + lag for lag in self.samples)

    def start(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Start sampling; return the stop function."""
        self._arm(loop, loop.time())
        return self._stop

    def _arm(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        due = now + INTERVAL
        self.timer = loop.call_at(due, self._sample, loop, due)

    def _sample(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self.samples.append(max(0.0, now - due))
        self._arm(loop, now)

    def _stop(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None
