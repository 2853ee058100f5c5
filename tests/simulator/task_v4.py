"""The background task that carries a run on OpenClaw 2026.9.6."""

from dataclasses import dataclass, field
import uuid

from .recordings import Frame
from .run_events import Narration


@dataclass
class TaskV4:
    """The ``task`` events of a run; ``active`` once the agent works."""

    narration: Narration
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    active: bool = False

    def tell(self, state: str, status: str = "running", **extra: object) -> None:
        """Broadcast the task with the state of its execution."""
        task = {
            **self._identity(),
            "status": status,
            "execution": self._execution(state, status),
            **self._progress(status),
            **extra,
        }
        event = {"action": "upserted", "task": task}
        self.narration.gateway.broadcast("task", event)

    def _identity(self) -> Frame:
        """Return what never changes."""
        narration = self.narration
        return {
            "id": self.task_id,
            "taskId": self.task_id,
            "kind": "cli",
            "runtime": "cli",
            "hasTranscript": True,
            "deliveryStatus": "not_applicable",
            "title": narration.message,
            "agentId": narration.agent_id,
            "sessionKey": narration.session_key,
            "childSessionKey": narration.session_key,
            "ownerKey": narration.session_key,
            "runId": narration.run_id,
            "sourceId": narration.run_id,
            "createdAt": narration.accepted_at,
        }

    def _execution(self, state: str, status: str) -> Frame:
        """Return the state of the execution."""
        if self.active and status == "running":
            return {"state": state, "lastActivityAt": self.narration.gateway.now_ms()}
        return {"state": state}

    def _progress(self, status: str) -> Frame:
        """Return times, tools and the last words."""
        narration, now = self.narration, self.narration.gateway.now_ms()
        progress: Frame = {"updatedAt": now, "startedAt": narration.started_at}
        if status != "running":
            progress["endedAt"] = now
        elif narration.text:
            progress["lastActivity"] = narration.text[:120]
        if narration.tools and narration.text:
            progress["toolUseCount"] = len(narration.tools)
            progress["lastToolName"] = narration.tools[-1]
        return progress
