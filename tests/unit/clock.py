"""An event loop whose time stands still until it is moved."""

import asyncio


class ClockLoop(asyncio.SelectorEventLoop):
    """A loop whose timers fire when `advance` says so."""

    def __init__(self) -> None:
        """Start at noon."""
        self.now = 43_200.0
        super().__init__()

    def time(self) -> float:
        """Return the time that the last `advance` left."""
        return self.now

    def advance(self, seconds: float = 0.0) -> None:
        """Move the time and let everything happen that is due."""
        self.now += seconds
        self.run_until_complete(_settle())


async def _settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
