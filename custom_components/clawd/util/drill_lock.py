"""Lock between the questions and the drills of an entry."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from homeassistant.util.hass_dict import HassKey

from .domain_data import get_domain_data

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.config_entries import ConfigEntry


class DrillLock:
    """Lock that questions share while they start, and that a drill has alone.

    A question that starts, or waits for a drill, goes before the next drill.
    """

    def __init__(self) -> None:
        """Initialize unlocked."""
        self._questions = 0
        self._drilling = False
        self._changed = asyncio.Event()

    @property
    def questions(self) -> int:
        """Return the number of questions that start, or wait for the drill."""
        return self._questions

    @property
    def drilling(self) -> bool:
        """Return whether a drill is under way."""
        return self._drilling

    @asynccontextmanager
    async def question(self) -> AsyncGenerator[None]:
        """Wait for the drill, and hold off the next one."""
        self._questions += 1
        try:
            while self._drilling:
                await self._changed.wait()
            yield
        finally:
            self._questions -= 1
            self._wake()

    @asynccontextmanager
    async def drill(self) -> AsyncGenerator[None]:
        """Wait until no question starts, and hold off the next ones."""
        while self._questions or self._drilling:
            await self._changed.wait()
        self._drilling = True
        try:
            yield
        finally:
            self._drilling = False
            self._wake()

    def _wake(self) -> None:
        # Whoever waits has a new event to wait for if its turn has not come.
        self._changed.set()
        self._changed = asyncio.Event()


# A drill reloads the entry.
_LOCK: Final[HassKey[DrillLock]] = HassKey("drill_lock")


def drill_lock(entry: ConfigEntry[Any]) -> DrillLock:
    """Return the lock of an entry."""
    return get_domain_data(entry).setdefault(_LOCK, DrillLock())
