"""Clocks that stand still until they are moved."""

import asyncio
from dataclasses import dataclass

from custom_components.clawd.gateway import SleepDetector


@dataclass
class Clock:
    """The wall's clock, which alone goes on while a machine is suspended."""

    wall: float = 0.0

    @property
    def watch(self) -> SleepDetector:
        """Return a watch that goes by it."""
        return SleepDetector(lambda: self.wall, lambda: 0.0)


class ClockLoop(asyncio.SelectorEventLoop):
    """A loop whose timers fire when `advance` says so."""

    def __init__(self) -> None:
        """Start at noon."""
        self.now = 43_200.0
        self.unseen: list[dict[str, object]] = []
        super().__init__()
        self.set_exception_handler(lambda _, context: self.unseen.append(context))

    def time(self) -> float:
        """Return the time that the last `advance` left."""
        return self.now

    def advance(self, seconds: float = 0.0) -> None:
        """Move the time and let everything happen that is due, without a fault."""
        self.now += seconds
        self.run_until_complete(_settle())
        assert not self.unseen


async def _settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
