"""Tasks of a client."""

import asyncio
from collections import Counter
from functools import partial
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

_LOGGER = logging.getLogger(__name__)


class TaskRegistry:
    """Running tasks of a client.

    Attributes:
        failures: tasks that ended with an exception, counted by name.

    """

    def __init__(self, failures: Counter[str] | None = None) -> None:
        """Initialize without tasks; count on in `failures`."""
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._closed = False
        self.failures: Counter[str] = Counter() if failures is None else failures

    def snapshot(self) -> dict[asyncio.Task[Any], str]:
        """Return the running tasks and names."""
        return {task: name for task, name in self._tasks.items() if not task.done()}

    def add(self, task: asyncio.Task[Any], name: str) -> None:
        """Register a task until its end."""
        self._tasks[task] = name
        task.add_done_callback(self.discard)

    def discard(self, task: asyncio.Task[Any]) -> None:
        """Unregister a task."""
        self._tasks.pop(task, None)

    def spawn(
        self, coroutine: Coroutine[Any, Any, None], name: str
    ) -> asyncio.Task[None]:
        """Run a coroutine as a registered task.

        After `close()`, it is cancelled without a start.
        """
        if self._closed:
            _LOGGER.debug("The task %s comes too late", name)
            task = asyncio.create_task(coroutine, name=f"clawd {name}")
            task.cancel()
            return task
        # Eager, so that async listeners see events in order up to their first await.
        task = asyncio.create_task(coroutine, name=f"clawd {name}", eager_start=True)
        self.add(task, name)
        task.add_done_callback(partial(self._count_failure, name))
        return task

    def _count_failure(self, name: str, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (err := task.exception()):
            self.failures[name] += 1
            _LOGGER.error("The task %s ended with %s", name, type(err).__name__)

    def open(self) -> None:
        """Start tasks again after `close()`."""
        self._closed = False

    async def close(self, *prefixes: str) -> None:
        """Cancel tasks by name prefix, and start no more."""
        # What is cancelled may want to start others.
        self._closed = True
        await self.cancel_all(*prefixes)

    async def cancel_all(self, *prefixes: str) -> None:
        """Cancel tasks by name prefix."""
        tasks = [t for t, name in self._tasks.items() if name.startswith(prefixes)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
