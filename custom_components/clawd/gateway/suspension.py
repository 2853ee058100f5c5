"""Whether the machine was suspended."""

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Less than it takes a peer or a router to forget a connection.
LEAST_JUMP: Final = 10.0


class SuspensionWatch:
    """A comparison of the wall's clock with the one that stands still meanwhile.

    A clock that is set forward looks the same, and does no harm.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start to compare."""
        self._wall = wall
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def over(self) -> bool:
        """Return whether there was a suspension since this was asked last."""
        previous, self._offset = self._offset, self._wall() - self._monotonic()
        return self._offset - previous > LEAST_JUMP
