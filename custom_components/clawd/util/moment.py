"""Points in time, independent of clock changes."""

from dataclasses import dataclass
from math import isfinite
import time
from typing import Final, Self

# Seconds; smaller differences are the work of NTP, which slews the clock.
MIN_JUMP: Final = 5.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Point in time, by the wall and the monotonic clock.

    A machine without a battery-backed clock, such as a Raspberry Pi, starts with a
    wrong time and learns the right one later.

    Attributes:
        wall: seconds since 1970, by the wall clock at that time.
        monotonic: time of the monotonic clock.

    """

    wall: float
    monotonic: float

    @classmethod
    def now(cls) -> Self:
        """Return the present moment."""
        return cls(time.time(), time.monotonic())

    @classmethod
    def at(cls, timestamp: float) -> Self:
        """Return a moment by the present wall clock.

        Raises:
            ValueError: the timestamp is no number.

        """
        if not isfinite(timestamp):
            raise ValueError(timestamp)
        return cls(timestamp, time.monotonic() - (time.time() - timestamp))

    @classmethod
    def stored(cls, timestamp: float) -> Self:
        """Return a moment that an earlier process has stored.

        One in the future is now: the clock was set back.

        Raises:
            ValueError: the timestamp is no number.

        """
        return cls.at(min(timestamp, time.time()))

    @property
    def age(self) -> float:
        """Return the seconds since then; negative before it."""
        return time.monotonic() - self.monotonic

    @property
    def timestamp(self) -> float:
        """Return the seconds since 1970, by the present clock."""
        now = time.time() - self.age
        return now if abs(now - self.wall) >= MIN_JUMP else self.wall
