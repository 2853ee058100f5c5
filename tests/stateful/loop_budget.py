"""Time, counted in passes of the event loop."""

import asyncio


class PassLimit:
    """A limit of passes that the body may take; then it hangs, and is cancelled.

    A deadline in seconds would depend on the machine, and on jumps of its clock.
    """

    def __init__(self, count: int) -> None:
        """Allow `count` passes."""
        self._left = count
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._handle = self._loop.call_soon(self._watch)

    def __enter__(self) -> None:
        """Count from now on."""

    def __exit__(self, *_: object) -> None:
        """Count no more."""
        self._handle.cancel()
        assert self._left, "nothing happens any more"

    def _watch(self) -> None:
        self._left -= 1
        if self._left:
            self._handle = self._loop.call_soon(self._watch)
        elif self._task:
            self._task.cancel()
