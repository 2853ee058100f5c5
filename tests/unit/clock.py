"""Manually advanced clocks."""

import asyncio
from dataclasses import dataclass

from custom_components.clawd.gateway import SleepDetector


@dataclass
class Clock:
    """Wall clock, which advances while the machine sleeps."""

    wall: float = 0.0

    @property
    def detector(self) -> SleepDetector:
        """Return a detector with this wall clock."""
        return SleepDetector(lambda: self.wall, lambda: 0.0)


class ClockLoop(asyncio.SelectorEventLoop):
    """Event loop with a manually advanced clock."""

    def __init__(self) -> None:
        """Start at noon."""
        self.now = 43_200.0
        self.unhandled: list[dict[str, object]] = []
        super().__init__()
        self.set_exception_handler(lambda _, context: self.unhandled.append(context))

    def time(self) -> float:
        """Return the current time."""
        return self.now

    def advance(self, seconds: float = 0.0) -> None:
        """Advance the time, run due callbacks, and check for errors."""
        self.now += seconds
        self.run_until_complete(_run_ready_tasks())
        assert not self.unhandled


async def _run_ready_tasks() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
