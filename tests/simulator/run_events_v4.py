"""Run events of OpenClaw 2026.9.6 (protocol 4)."""

from dataclasses import dataclass, field
from typing import override
import uuid

from .recordings import Frame
from .result_v4 import (
    PROVIDER,
    final_payload,
    node_result,
    node_text,
    recorded_session,
    terminal_result,
    tool_result,
)
from .run_events import Outcome, RunEvents
from .script import CallTool, Tool
from .task_v4 import TaskV4
from .tool_call_v4 import ToolCallV4

COALESCE = 0.075
OBSERVATION = {
    **PROVIDER,
    "failoverReason": "server_error",
    "providerRuntimeFailureKind": "timeout",
}


@dataclass
class RunEventsV4(RunEvents):
    """Events with coalesced text, item ids, tools and tasks."""

    sent_text: str = ""
    sent_at: float = -COALESCE
    chat_text: str = ""
    turn: int = 1
    attempt: int = 1
    stop_reason: str = ""
    ended_at: int = 0
    calls: list[ToolCallV4] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Create the task of the run."""
        super().__post_init__()
        self.task = TaskV4(self)

    @override
    def broadcast(self, stream: str, data: Frame, **extra: object) -> None:
        event = {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
            "stream": stream,
            "data": data,
            "seq": self.seq,
            "ts": self.gateway.now_ms(),
            **extra,
        }
        cap = "tool-events" if stream == "tool" else None
        if not self.quiet:
            self.gateway.broadcast("agent", event, cap=cap)

    @override
    def accepted_payload(self) -> Frame:
        return {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
            "status": "accepted",
            "acceptedAt": self.accepted_at,
        }

    @override
    def duplicate_payload(self) -> Frame:
        return {
            "runId": self.run_id,
            "status": "in_flight",
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
        }

    @override
    def queue(self, *, busy: bool) -> None:
        self.task.emit("unknown")
        self.task.emit("running")
        if busy:
            self.task.emit("queued")

    @override
    def start(self) -> None:
        self.started_at = self.gateway.now_ms()
        self.task.active = True
        self._emit_lifecycle("start", startedAt=self.started_at)
        self.task.emit("running")
        self._emit_lifecycle("model", **PROVIDER)

    @override
    def emit_text(self, chunk: str, delay: float, *, whole: bool) -> None:
        first = not any(self.segments)
        self.seq += 1
        self.clock += delay
        self.word_count += 1
        self.segments[-1] += chunk
        if whole or self.clock - self.sent_at >= COALESCE or not self.sent_text:
            self._flush_text(empty=whole)
            self._flush_chat()
        if first:
            self.task.emit("running")

    @override
    def emit_media(self, references: list[str]) -> None:
        self._flush_text()
        self.media = references
        data = {"text": self.text, "delta": "", "mediaUrls": references}
        self.emit("assistant", data | {"itemId": self._item_id})

    @override
    def emit_tool_call(self, step: Tool) -> None:
        self._end_text()
        self.tools.append(step.name)
        call = ToolCallV4(self, step.name, f"call_{len(self.tools)}", step.args)
        call.start()
        call.end(tool_result(step, call.meta))
        self._start_text()

    @override
    def start_node_call(self, step: CallTool) -> str:
        self._end_text()
        call_id = f"call_{len(self.tools) + 1}"
        self.calls = [ToolCallV4(self, step.name, call_id, step.args)]
        if self.gateway.nodes.tool_search:
            outer = {"id": step.name, "args": dict(step.args)}
            inner_id = f"tool_search_code:{call_id}:{step.name}:1"
            self.calls = [
                ToolCallV4(self, "tool_call", call_id, outer, listed=False),
                ToolCallV4(self, step.name.lower(), inner_id, step.args, call_id),
            ]
        for call in self.calls:
            call.start()
        return call_id

    @override
    def end_node_call(self, step: CallTool, result: Frame) -> None:
        self.tool_text = node_text(result)
        _, tool = self.gateway.nodes.tools().get(step.name, (None, None))
        for call in reversed(self.calls):
            self.tools.append(call.name)
            outer = call is not self.calls[-1]
            data = node_result(step, result, tool, call.meta, outer=outer)
            call.end(data, **recorded_session())
        self._start_text()

    def _end_text(self) -> None:
        """Emit the text before a tool."""
        self._flush_text()
        if self.text:
            self._emit_preamble()
        else:
            self._emit_usage()
        self._flush_chat()

    def _start_text(self) -> None:
        """Start the segment after a tool."""
        self._emit_lifecycle("model", **PROVIDER)
        self.turn += 1
        self.sent_text = ""
        self.segments.append("")

    @override
    def replace_text(self, text: str) -> None:
        self._flush_text()
        if not text:  # a new attempt; the end of a message keeps its id
            self.item_uuid, self.turn = str(uuid.uuid4()), 1
        self.segments[-1] = self.sent_text = text
        self.chat_text = ""
        data = {"itemId": self._item_id, "text": text, "delta": "", "replace": True}
        self.emit("assistant", data)

    @override
    def retry(self, error: str) -> None:
        self._emit_failed_attempt(error)
        self.emit(
            "run_status",
            {
                "phase": "retrying",
                "message": "Provider temporarily unavailable. "
                f"Retrying in 1s ({self.attempt}/8).",
                "retryAttempt": self.attempt,
                "maxRetries": 8,
                "delayMs": 930,
                "attempt": self.attempt + 1,
                "maxAttempts": 9,
                "reason": "server_error",
            },
        )
        self.task.emit("running")
        self.attempt += 1
        self.replace_text("")
        self.start()

    @override
    def complete(self) -> None:
        ended_at = self.gateway.now_ms()
        self._flush_text()
        self._emit_usage()
        state: Frame = {
            "stopReason": "stop",
            "aborted": False,
            "livenessState": "working",
        }
        self._emit_lifecycle("finishing", **state, endedAt=ended_at)
        self.task.emit("running")
        self._emit_lifecycle("model", provider=None, model=None)
        self.task.emit("finished")
        receipt = terminal_result(self)
        self._emit_lifecycle(
            "end",
            startedAt=self.started_at,
            endedAt=ended_at,
            executionSettled=True,
            **state,
            **receipt,
        )
        self._flush_chat()
        self._emit_chat("final", stopReason="stop", **self._chat_message())
        self._set_wait_result(
            "ok", ended_at, stopReason="stop", livenessState="working", **receipt
        )
        self.task.emit("finished", "completed", terminalSummary="completed")
        self.outcome = Outcome(final_payload(self))

    @override
    def fail(self, error: str) -> None:
        ended_at = self.gateway.now_ms()
        self._emit_failed_attempt(error)
        self._emit_lifecycle("model", provider=None, model=None)
        self.task.emit("finished")
        self._emit_lifecycle(
            "error",
            startedAt=self.started_at,
            endedAt=ended_at,
            error=error,
            errorObservation=OBSERVATION,
            executionSettled=True,
        )
        self._emit_chat("error", errorMessage=error, errorDetail=OBSERVATION)
        self._set_wait_result("error", ended_at, error=error)
        self.task.emit("finished")
        self.task.emit("finished", "failed", terminalSummary=error, error=error)
        self.outcome = Outcome(
            {"runId": self.run_id, "status": "error", "summary": error},
            {"code": "UNAVAILABLE", "message": error},
        )

    @override
    def stop(self, reason: str) -> None:
        self.stop_reason, self.ended_at = reason, self.gateway.now_ms()
        self.task.emit("running")
        self._emit_chat("aborted", stopReason=reason, **self._chat_message())
        self.task.emit("unknown")
        self._emit_lifecycle(
            "end",
            status="cancelled",
            aborted=True,
            stopReason=reason,
            startedAt=self.started_at,
            endedAt=self.ended_at,
        )

    @override
    def finish_stopped(self) -> None:
        error = "This operation was aborted"
        self._set_wait_result("timeout", self.ended_at, stopReason=self.stop_reason)
        self.task.emit("finished")
        self.seq = 0
        self._emit_lifecycle(
            "error",
            startedAt=self.started_at,
            endedAt=self.ended_at,
            error=error,
            aborted=True,
            stopReason="aborted",
            executionSettled=True,
        )
        ended = f"{error} | 20"
        self.task.emit("finished", "cancelled", terminalSummary=ended, error=ended)
        self.outcome = Outcome(
            {
                "runId": self.run_id,
                "status": "timeout",
                "summary": "aborted",
                "stopReason": self.stop_reason,
            }
        )

    @property
    def _item_id(self) -> str:
        return f"{self.item_uuid}:{self.turn}"

    def _flush_text(self, *, empty: bool = False) -> None:
        """Emit the coalesced text; ``empty`` also emits an empty delta."""
        if (delta := self.text[len(self.sent_text) :]) or empty:
            data = {"text": self.text, "delta": delta, "itemId": self._item_id}
            self.broadcast("assistant", data)
            self.sent_text, self.sent_at = self.text, self.clock

    def _flush_chat(self) -> None:
        """Emit the text of all segments as a chat event."""
        text = "\n\n".join(self.texts)
        if delta := text[len(self.chat_text) :]:
            self.chat_text = text
            self._emit_chat("delta", deltaText=delta, **self._chat_message())

    def _chat_message(self) -> Frame:
        text = "\n\n".join(self.texts)
        if not text:
            return {}
        return {
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": text}],
                "timestamp": self.gateway.now_ms(),
            }
        }

    def _emit_chat(self, state: str, **extra: object) -> None:
        event = {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
            "seq": self.seq,
            "state": state,
            **extra,
        }
        if not self.quiet:
            self.gateway.broadcast("chat", event)

    def _emit_lifecycle(self, phase: str, **data: object) -> None:
        self.emit("lifecycle", {"phase": phase, **data}, sessionId=self.session_id)

    def _emit_usage(self) -> None:
        self.emit("usage", {"outputTokens": self.word_count})

    def _emit_preamble(self) -> None:
        """Emit the text before a tool as a preamble item."""
        item = {
            "kind": "preamble",
            "title": "Preamble",
            "progressText": self.text,
            "itemId": f"commentary-0-{uuid.uuid4().hex[:24]}",
        }
        self.emit("item", {**item, "phase": "update"})
        self._emit_usage()
        self.emit("item", {**item, "phase": "end"})

    def _emit_failed_attempt(self, error: str) -> None:
        """Emit the failure of an attempt, after its text."""
        self._flush_text()
        self._emit_lifecycle(
            "finishing",
            error=error,
            errorObservation=OBSERVATION,
            aborted=False,
            livenessState="blocked",
            endedAt=self.gateway.now_ms(),
        )

    def _set_wait_result(self, status: str, ended_at: int, **extra: object) -> None:
        """Set the response of ``agent.wait``."""
        self.wait_result = {
            "runId": self.run_id,
            "status": status,
            "startedAt": self.started_at,
            "endedAt": ended_at,
            **extra,
        }
