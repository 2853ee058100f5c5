"""Controllable clocks."""

import time


class Clock:
    """Monotonic and wall clock with offsets."""

    def __init__(self) -> None:
        """Start with the real time."""
        self._monotonic = time.monotonic
        self._offset = self._suspended = 0.0

    def monotonic(self) -> float:
        """Return the monotonic time, also used by the event loop."""
        return self._monotonic() + self._offset

    def advance(self, seconds: float) -> None:
        """Advance both clocks; due timers fire when the loop runs."""
        self._offset += seconds

    def wall(self) -> float:
        """Return the wall time, which includes suspended time."""
        return time.time() + self._offset + self._suspended

    def suspend(self, seconds: float) -> None:
        """Suspend the machine: only the wall clock advances."""
        self._suspended += seconds
