"""Time that can jump."""

import time


class Clock:
    """The monotonic and the wall's time, and how far they were moved."""

    def __init__(self) -> None:
        """Start with the real time."""
        self._monotonic = time.monotonic
        self._ahead = self._suspended = 0.0

    def monotonic(self) -> float:
        """Return the time in seconds; the event loop asks here, too."""
        return self._monotonic() + self._ahead

    def jump(self, seconds: float) -> None:
        """Move the time forward; what is due happens when the loop runs again."""
        self._ahead += seconds

    def wall(self) -> float:
        """Return the time that goes on while the machine is suspended."""
        return time.time() + self._ahead + self._suspended

    def suspend(self, seconds: float) -> None:
        """Let time pass in which nothing runs and the monotonic time stands still."""
        self._suspended += seconds
