"""Limit of event loop iterations."""

import asyncio


class LoopBudget:
    """Limit of the loop iterations in a block.

    Beyond it, the block hangs and is cancelled. A deadline in seconds would depend
    on the machine and on the advanced clock.
    """

    def __init__(self, count: int) -> None:
        """Allow `count` iterations."""
        self._left = count
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._handle = self._loop.call_soon(self._count)

    def __enter__(self) -> None:
        """Start counting."""

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self._handle.cancel()
        assert self._left, "nothing happens any more"

    def _count(self) -> None:
        self._left -= 1
        if self._left:
            self._handle = self._loop.call_soon(self._count)
        elif self._task:
            self._task.cancel()
