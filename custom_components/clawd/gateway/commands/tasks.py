"""Background tasks of a Gateway."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

from ..exceptions import InvalidFrameError
from ..models import READ_SCOPE, WRITE_SCOPE
from .base import Commands, Method

if TYPE_CHECKING:
    from ..models import Json, Payload

TASK_EVENT: Final = "task"
# The run of a client; others: "subagent", "image_generation".
CLIENT_RUN: Final = "cli"
# Tasks of a page, the most that a Gateway returns.
MAX_TASKS: Final = 500


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
    """Background task.

    Its error is for its owner only.

    Attributes:
        session_key: session of the run that started it.
        by_agent: an agent has started it, and it outlives the run (sub-agents,
            generated images); others are the runs of clients.

    """

    id: str
    status: TaskStatus
    error: str = field(default="", repr=False)
    session_key: str = field(default="", repr=False)
    by_agent: bool = False
    kind: str = ""

    @classmethod
    def from_payload(cls, payload: Json) -> Self | None:
        """Parse a task from a response or event."""
        match payload:
            case {"task": {"taskId": str(task_id), "status": str(status)} as task}:
                if status in TaskStatus:
                    return cls(
                        task_id,
                        TaskStatus(status),
                        str(task.get("error") or ""),
                        str(task.get("ownerKey") or task.get("sessionKey") or ""),
                        task.get("kind") not in (None, CLIENT_RUN),
                        str(task.get("kind") or ""),
                    )
        return None


class TaskCommands(Commands):
    """Commands on background tasks (v4)."""

    CANCEL: Final = Method("tasks.cancel", WRITE_SCOPE, optional=True)
    GET: Final = Method("tasks.get", READ_SCOPE, optional=True)
    LIST: Final = Method("tasks.list", READ_SCOPE, optional=True)

    async def active(self) -> tuple[Task, ...]:
        """Return the queued and running tasks.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        status = [TaskStatus.QUEUED.value, TaskStatus.RUNNING.value]
        params: Payload = {"status": status, "limit": MAX_TASKS}
        match await self._call(self.LIST, params):
            case {"tasks": list(rows)}:
                found = (Task.from_payload({"task": row}) for row in rows)
                return tuple(task for task in found if task)
        return ()

    async def get(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            GatewayError: the Gateway did not answer, or does not know the task.

        """
        if task := Task.from_payload(await self._call(self.GET, {"taskId": task_id})):
            return task
        raise InvalidFrameError(f"the response to {self.GET} has no task")

    async def cancel(self, task_id: str) -> bool:
        """Cancel a task; return whether it has ended.

        Raises:
            GatewayError: the Gateway did not answer, or refused.

        """
        response = await self._call(self.CANCEL, {"taskId": task_id})
        match response:
            # {"found": true, "cancelled": false, "reason": "Task has no live run …"}
            case {"found": True, "cancelled": False}:
                task = Task.from_payload(response)
                return task is not None and task.status.final
        return True
