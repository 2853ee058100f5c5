"""The tasks that a client owns."""

import asyncio
from collections import Counter
from functools import partial
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

_LOGGER = logging.getLogger(__name__)


class TaskRegistry:
    """The tasks under way, by name, so that a stray one can be told apart.

    Attributes:
        failures: how many tasks of each name ended with an exception.

    """

    def __init__(self) -> None:
        """Start empty."""
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self.failures: Counter[str] = Counter()

    def snapshot(self) -> dict[asyncio.Task[Any], str]:
        """Return the tasks that have not ended, with their names."""
        return {task: name for task, name in self._tasks.items() if not task.done()}

    def add(self, task: asyncio.Task[Any], name: str) -> None:
        """Hold a task until it ends."""
        self._tasks[task] = name
        task.add_done_callback(self.discard)

    def discard(self, task: asyncio.Task[Any]) -> None:
        """Let a task go that may go on."""
        self._tasks.pop(task, None)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        """Run a coroutine; it starts at once, so order is kept up to its first wait."""
        task = asyncio.create_task(coroutine, name=f"clawd {name}", eager_start=True)
        self.add(task, name)
        task.add_done_callback(partial(self._count_failure, name))

    def _count_failure(self, name: str, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (err := task.exception()):
            self.failures[name] += 1
            _LOGGER.error("The task %s ended with %s", name, type(err).__name__)

    async def cancel_all(self, *prefixes: str) -> None:
        """Cancel the tasks whose name starts with one, and wait until they ended."""
        tasks = [t for t, name in self._tasks.items() if name.startswith(prefixes)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
