"""How OpenClaw 2026.9.6 tells a run."""

from dataclasses import dataclass
from typing import override
import uuid

from .recordings import Frame
from .result_v4 import PROVIDER, completed, told, tool_result
from .run_events import Narration, Outcome
from .script import Tool
from .task_v4 import TaskV4

COALESCE = 0.075
OBSERVATION = {
    **PROVIDER,
    "failoverReason": "server_error",
    "providerRuntimeFailureKind": "timeout",
}


@dataclass
class NarrationV4(Narration):
    """Coalesced text with an item id, tools, tasks, a real error."""

    shown: str = ""
    shown_at: float = -COALESCE
    chatted: str = ""
    turn: int = 1
    attempt: int = 1
    stop_reason: str = ""
    ended_at: int = 0

    def __post_init__(self) -> None:
        """Carry the run in a task."""
        super().__post_init__()
        self.task = TaskV4(self)

    @override
    def show(self, stream: str, data: Frame, **extra: object) -> None:
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
        self.gateway.broadcast("agent", event, cap=cap)

    @override
    def accepted(self) -> Frame:
        return {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
            "status": "accepted",
            "acceptedAt": self.accepted_at,
        }

    @override
    def repeated(self) -> Frame:
        return {
            "runId": self.run_id,
            "status": "in_flight",
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
        }

    @override
    def queue(self, *, busy: bool) -> None:
        self.task.tell("unknown")
        self.task.tell("running")
        if busy:
            self.task.tell("queued")

    @override
    def begin(self) -> None:
        self.started_at = self.gateway.now_ms()
        self.task.active = True
        self._lifecycle("start", startedAt=self.started_at)
        self.task.tell("running")
        self._lifecycle("model", **PROVIDER)

    @override
    def say(self, chunk: str, delay: float, *, whole: bool) -> None:
        first = not any(self.segments)
        self.seq += 1
        self.clock += delay
        self.words += 1
        self.segments[-1] += chunk
        if whole or self.clock - self.shown_at >= COALESCE or not self.shown:
            self._flush_text(empty=whole)
            self._flush_chat()
        if first:
            self.task.tell("running")

    @override
    def tool(self, step: Tool) -> None:
        self._flush_text()
        if self.text:
            self._preamble()
        else:
            self._usage()
        self._flush_chat()
        self.tools.append(step.name)
        self._call(step)
        self._lifecycle("model", **PROVIDER)
        self.turn += 1
        self.shown = ""
        self.segments.append("")

    @override
    def replace(self, text: str) -> None:
        self._flush_text()
        self.item, self.turn = str(uuid.uuid4()), 1
        self.segments[-1] = self.shown = text
        self.chatted = ""
        data = {"itemId": self._item, "text": text, "delta": "", "replace": True}
        self.agent("assistant", data)

    @override
    def retry(self, error: str) -> None:
        self._failed_attempt(error)
        self.agent(
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
        self.task.tell("running")
        self.attempt += 1
        self.replace("")
        self.begin()

    @override
    def end(self) -> None:
        ended_at = self.gateway.now_ms()
        self._flush_text()
        self._usage()
        settled: Frame = {
            "stopReason": "stop",
            "aborted": False,
            "livenessState": "working",
        }
        self._lifecycle("finishing", **settled, endedAt=ended_at)
        self.task.tell("running")
        self._lifecycle("model", provider=None, model=None)
        self.task.tell("finished")
        receipt = told(self)
        self._lifecycle(
            "end",
            startedAt=self.started_at,
            endedAt=ended_at,
            executionSettled=True,
            **settled,
            **receipt,
        )
        self._flush_chat()
        self._chat("final", stopReason="stop", **self._message())
        self._wait(
            "ok", ended_at, stopReason="stop", livenessState="working", **receipt
        )
        self.task.tell("finished", "completed", terminalSummary="completed")
        self.outcome = Outcome(completed(self))

    @override
    def fail(self, error: str) -> None:
        ended_at = self.gateway.now_ms()
        self._failed_attempt(error)
        self._lifecycle("model", provider=None, model=None)
        self.task.tell("finished")
        self._lifecycle(
            "error",
            startedAt=self.started_at,
            endedAt=ended_at,
            error=error,
            errorObservation=OBSERVATION,
            executionSettled=True,
        )
        self._chat("error", errorMessage=error, errorDetail=OBSERVATION)
        self._wait("error", ended_at, error=error)
        self.task.tell("finished")
        self.task.tell("finished", "failed", terminalSummary=error, error=error)
        self.outcome = Outcome(
            {"runId": self.run_id, "status": "error", "summary": error},
            {"code": "UNAVAILABLE", "message": error},
        )

    @override
    def stop(self, reason: str) -> None:
        self.stop_reason, self.ended_at = reason, self.gateway.now_ms()
        self.task.tell("running")
        self._chat("aborted", stopReason=reason, **self._message())
        self.task.tell("unknown")
        self._lifecycle(
            "end",
            status="cancelled",
            aborted=True,
            stopReason=reason,
            startedAt=self.started_at,
            endedAt=self.ended_at,
        )

    @override
    def stopped(self) -> None:
        error = "This operation was aborted"
        self._wait("timeout", self.ended_at, stopReason=self.stop_reason)
        self.task.tell("finished")
        self.seq = 0
        self._lifecycle(
            "error",
            startedAt=self.started_at,
            endedAt=self.ended_at,
            error=error,
            aborted=True,
            stopReason="aborted",
            executionSettled=True,
        )
        ended = f"{error} | 20"
        self.task.tell("finished", "cancelled", terminalSummary=ended, error=ended)
        self.outcome = Outcome(
            {
                "runId": self.run_id,
                "status": "timeout",
                "summary": "aborted",
                "stopReason": self.stop_reason,
            }
        )

    @property
    def _item(self) -> str:
        return f"{self.item}:{self.turn}"

    def _flush_text(self, *, empty: bool = False) -> None:
        """Show the text that was held back, or that there is none if ``empty``."""
        if (delta := self.text[len(self.shown) :]) or empty:
            data = {"text": self.text, "delta": delta, "itemId": self._item}
            self.show("assistant", data)
            self.shown, self.shown_at = self.text, self.clock

    def _flush_chat(self) -> None:
        """Tell the text of all segments again as a chat event."""
        text = "\n\n".join(self.spoken)
        if delta := text[len(self.chatted) :]:
            self.chatted = text
            self._chat("delta", deltaText=delta, **self._message())

    def _message(self) -> Frame:
        text = "\n\n".join(self.spoken)
        if not text:
            return {}
        return {
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": text}],
                "timestamp": self.gateway.now_ms(),
            }
        }

    def _chat(self, state: str, **extra: object) -> None:
        event = {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "agentId": self.agent_id,
            "seq": self.seq,
            "state": state,
            **extra,
        }
        self.gateway.broadcast("chat", event)

    def _lifecycle(self, phase: str, **data: object) -> None:
        self.agent("lifecycle", {"phase": phase, **data}, sessionId=self.session_id)

    def _usage(self) -> None:
        self.agent("usage", {"outputTokens": self.words})

    def _preamble(self) -> None:
        """Tell that what was said so far leads to a tool."""
        item = {
            "kind": "preamble",
            "title": "Preamble",
            "progressText": self.text,
            "itemId": f"commentary-0-{uuid.uuid4().hex[:24]}",
        }
        self.agent("item", {**item, "phase": "update"})
        self._usage()
        self.agent("item", {**item, "phase": "end"})

    def _call(self, step: Tool) -> None:
        """Tell the call of a tool as an item and, to who wants it, as a tool."""
        call_id = f"call_{len(self.tools)}"
        meta = next((str(value) for value in step.args.values()), "")
        call = {"name": step.name, "toolCallId": call_id}
        item = {
            **call,
            "itemId": f"tool:{call_id}",
            "kind": "tool",
            "title": f"{step.name.replace('_', ' ').title()} {meta}".strip(),
            "meta": meta,
            "commandBearing": False,
            "startedAt": self.gateway.now_ms(),
        }
        status = "failed" if step.is_error else "completed"
        ended = {"status": status, "endedAt": self.gateway.now_ms()}
        self.agent("item", {**item, "phase": "start", "status": "running"})
        self.agent("tool", {**call, "phase": "start", "args": dict(step.args)})
        self.agent("tool", {**call, **tool_result(step, meta)})
        self.agent("item", {**item, "phase": "end", **ended})

    def _failed_attempt(self, error: str) -> None:
        """Tell that the provider failed, after all that it said."""
        self._flush_text()
        self._lifecycle(
            "finishing",
            error=error,
            errorObservation=OBSERVATION,
            aborted=False,
            livenessState="blocked",
            endedAt=self.gateway.now_ms(),
        )

    def _wait(self, status: str, ended_at: int, **extra: object) -> None:
        """Settle what agent.wait answers."""
        self.waited = {
            "runId": self.run_id,
            "status": status,
            "startedAt": self.started_at,
            "endedAt": ended_at,
            **extra,
        }
