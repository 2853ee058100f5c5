"""Background tasks of a Gateway."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json

TASK_EVENT: Final = "task"


class TaskStatus(StrEnum):
    """Status of a background task."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"

    @property
    def final(self) -> bool:
        """Return whether the task has ended."""
        return self not in (TaskStatus.QUEUED, TaskStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Task:
    """Background task; what it tells of itself is for its owner only."""

    id: str
    status: TaskStatus
    progress: str = field(default="", repr=False)
    error: str = field(default="", repr=False)

    @classmethod
    def from_payload(cls, payload: Json) -> Self | None:
        """Read the task of a response or a `task` event; None if there is none."""
        match payload:
            case {"task": {"taskId": str(task_id), "status": str(status)} as task}:
                if status in TaskStatus:
                    return cls(
                        task_id,
                        TaskStatus(status),
                        str(task.get("progressSummary") or ""),
                        str(task.get("error") or ""),
                    )
        return None


class TaskCommands(Commands):
    """Commands on background tasks (v4)."""

    CANCEL: Final = Method("tasks.cancel", WRITE_SCOPE, optional=True)
    GET: Final = Method("tasks.get", READ_SCOPE, optional=True)

    async def get(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            GatewayError: the Gateway did not answer, or does not know the task.

        """
        if task := Task.from_payload(await self._call(self.GET, {"taskId": task_id})):
            return task
        raise InvalidFrameError(f"the response to {self.GET} has no task")

    async def cancel(self, task_id: str) -> None:
        """Cancel a task.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        await self._call(self.CANCEL, {"taskId": task_id})
