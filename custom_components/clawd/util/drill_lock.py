"""Lock between questions and drills."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from homeassistant.util.hass_dict import HassKey

from .domain_data import get_domain_data

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from homeassistant.config_entries import ConfigEntry


class DrillLock:
    """Shared lock for questions, exclusive for drills.

    A question that starts, or waits for a drill, goes before the next drill.
    """

    def __init__(self) -> None:
        """Initialize unlocked."""
        self._questions = 0
        self._drilling = False
        self._changed = asyncio.Event()

    @property
    def questions(self) -> int:
        """Return the number of starting questions.

        Those waiting for a drill are included.
        """
        return self._questions

    @property
    def drilling(self) -> bool:
        """Return whether a drill is under way."""
        return self._drilling

    @asynccontextmanager
    async def question(self) -> AsyncGenerator[None]:
        """Acquire the lock for a question."""
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
        """Acquire the lock for a drill."""
        while self._questions or self._drilling:
            await self._changed.wait()
        self._drilling = True
        try:
            yield
        finally:
            self._drilling = False
            self._wake()

    def _wake(self) -> None:
        # Waiters check their turn and, if it has not come, wait for the new event.
        self._changed.set()
        self._changed = asyncio.Event()


# A drill reloads the entry.
_LOCK: Final[HassKey[DrillLock]] = HassKey("drill_lock")


def drill_lock(entry: ConfigEntry[Any]) -> DrillLock:
    """Return the lock of an entry."""
    return get_domain_data(entry).setdefault(_LOCK, DrillLock())
