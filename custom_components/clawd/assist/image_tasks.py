"""Background tasks that generate images."""

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ..const import LOGGER
from ..gateway import TASK_EVENT, Task, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..coordinator import ClawdRuntime
    from ..gateway import Event, GatewayClient

IMAGE_TASK: Final = "image_generation"
# Seconds between two looks at a task whose events do not come.
POLL_INTERVAL: Final = 15.0


class ImageTasks:
    """Image tasks of a session.

    Attributes:
        known: the tasks by id.

    """

    def __init__(
        self, client: GatewayClient, session_key: str, claim: Callable[[str], bool]
    ) -> None:
        """Initialize without tasks.

        `claim` returns whether to track one.
        """
        self.known: dict[str, Task] = {}
        self._client = client
        self._session_key = session_key
        self._claim = claim
        self._changed = asyncio.Event()

    def listen(self, event: Event) -> None:
        """Process a `task` event."""
        task = Task.from_payload(event.payload)
        if (
            task
            and (task.kind, task.session_key) == (IMAGE_TASK, self._session_key)
            and (task.id in self.known or self._claim(task.id))
        ):
            self.known[task.id] = task
            self._changed.set()

    async def wait(self, task_id: str) -> Task:
        """Wait for the end of a task.

        Raises:
            GatewayError: the Gateway did not answer, or does not know the task.

        """
        while not (task := self.known.get(task_id)) or not task.status.final:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_INTERVAL):
                    await self._changed.wait()
            if not self._changed.is_set():
                # An event may have been lost with a connection.
                self.known[task_id] = await self._client.tasks.get(task_id)
        LOGGER.debug("Image task ended: %s", task.status)
        return task

    async def wait_all(self) -> list[Task]:
        """Wait for all tasks; return the completed ones.

        Raises:
            GatewayError: the Gateway did not answer.

        """
        ended = [await self.wait(task_id) for task_id in tuple(self.known)]
        return [task for task in ended if task.status is TaskStatus.COMPLETED]


@contextmanager
def following_images(
    runtime: ClawdRuntime,
    session_key: str,
    claim: Callable[[str], bool] = lambda _: True,
) -> Iterator[ImageTasks]:
    """Track the image tasks of a session."""
    tasks = ImageTasks(runtime.client, session_key, claim)
    with runtime.listening(TASK_EVENT, tasks.listen):
        yield tasks
