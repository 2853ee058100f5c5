"""Background task of a run on OpenClaw 2026.9.6."""

from dataclasses import dataclass, field
import uuid

from .recordings import Frame
from .run_events import RunEvents


@dataclass
class TaskV4:
    """Task events of a run; ``active`` once it has started."""

    events: RunEvents
    task_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    active: bool = False

    def emit(self, state: str, status: str = "running", **extra: object) -> None:
        """Broadcast the task with its execution state."""
        task = {
            **self._identity(),
            "status": status,
            "execution": self._execution(state, status),
            **self._progress(status),
            **extra,
        }
        event = {"action": "upserted", "task": task}
        if not self.events.quiet:
            self.events.gateway.broadcast("task", event)

    def _identity(self) -> Frame:
        """Return the constant fields."""
        events = self.events
        return {
            "id": self.task_id,
            "taskId": self.task_id,
            "kind": "cli",
            "runtime": "cli",
            "hasTranscript": True,
            "deliveryStatus": "not_applicable",
            "title": events.message,
            "agentId": events.agent_id,
            "sessionKey": events.session_key,
            "childSessionKey": events.session_key,
            "ownerKey": events.session_key,
            "runId": events.run_id,
            "sourceId": events.run_id,
            "createdAt": events.accepted_at,
        }

    def _execution(self, state: str, status: str) -> Frame:
        """Return the execution state."""
        if self.active and status == "running":
            return {"state": state, "lastActivityAt": self.events.gateway.now_ms()}
        return {"state": state}

    def _progress(self, status: str) -> Frame:
        """Return times, tools and last activity."""
        events, now = self.events, self.events.gateway.now_ms()
        progress: Frame = {"updatedAt": now, "startedAt": events.started_at}
        if status != "running":
            progress["endedAt"] = now
        elif events.text:
            progress["lastActivity"] = events.text[:120]
        if events.tools and events.text:
            progress["toolUseCount"] = len(events.tools)
            progress["lastToolName"] = events.tools[-1]
        return progress
