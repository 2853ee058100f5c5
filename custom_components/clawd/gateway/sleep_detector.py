"""Detection of a system sleep."""

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds; shorter than peers and routers take to forget a connection.
MIN_CLOCK_JUMP: Final = 10.0


class SleepDetector:
    """Detector of system sleep.

    Compares wall clock and monotonic clock.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the comparison."""
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def poll(self) -> bool:
        """Return whether the system slept since last time."""
        # CLOCK_MONOTONIC stands still during a sleep. A clock that is set forward
        # looks the same; the ping that follows does no harm.
        previous, self._offset = self._offset, self._wall() - self._monotonic()
        return self._offset - previous > MIN_CLOCK_JUMP
