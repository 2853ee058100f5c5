"""Wall clock that can be set."""

import time

import pytest


class WallClock:
    """Clock of the system, as NTP or a user sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of `time.time`, and go right."""
        real = time.time
        self.offset = 0.0
        monkeypatch.setattr(time, "time", lambda: real() + self.offset)

    def jump(self, seconds: float) -> None:
        """Set the clock forward, or back."""
        self.offset += seconds
