"""Run events of Clawdbot 2026.1.24-3 (protocol 3)."""

from dataclasses import dataclass
from typing import override

from .recordings import V3, Frame, payload
from .run_events import Outcome, RunEvents, payloads_of
from .script import Tool

CHAT_INTERVAL = 0.15
TOOL_SECONDS = 0.2


@dataclass
class RunEventsV3(RunEvents):
    """Events with one word each, and without tool events.

    Events after the first end have no session key.
    """

    chat_sent_at: float = -CHAT_INTERVAL
    session_ended: bool = False

    @override
    def broadcast(self, stream: str, data: Frame, **extra: object) -> None:
        now = self.gateway.now_ms()
        event = {
            "runId": self.run_id,
            "stream": stream,
            "data": data,
            "seq": self.seq,
            "ts": now,
        }
        if not self.session_ended:
            event["sessionKey"] = self.session_key
        self.gateway.broadcast("agent", event)

    @override
    def accepted_payload(self) -> Frame:
        return {
            "runId": self.run_id,
            "status": "accepted",
            "acceptedAt": self.accepted_at,
        }

    @override
    def duplicate_payload(self) -> Frame:
        return self.accepted_payload()

    @override
    def queue(self, *, busy: bool) -> None:
        pass

    @override
    def start(self) -> None:
        self.started_at = self.gateway.now_ms()
        self.emit("lifecycle", {"phase": "start", "startedAt": self.started_at})

    @override
    def emit_text(self, chunk: str, delay: float, *, whole: bool) -> None:
        self.clock += delay
        self.word_count += 1
        self.segments[-1] += chunk
        self.emit("assistant", {"text": self.text, "delta": chunk})
        if self.clock - self.chat_sent_at >= CHAT_INTERVAL:
            self.chat_sent_at = self.clock
            self._emit_chat("delta", self.text)

    @override
    def emit_media(self, references: list[str]) -> None:
        self.media = references
        data = {"text": self.text, "delta": "", "mediaUrls": references}
        self.emit("assistant", data)

    @override
    def emit_tool_call(self, step: Tool) -> None:
        self.seq += 3
        self.clock += TOOL_SECONDS
        self.tools.append(step.name)
        self.segments.append("")

    @override
    def replace_text(self, text: str) -> None:
        self.segments[-1] = text
        self.emit("assistant", {"text": text, "delta": "", "replace": True})

    @override
    def retry(self, error: str) -> None:
        self._emit_end()
        self.segments[-1] = ""
        self.start()

    @override
    def complete(self) -> None:
        self._emit_end()
        self.outcome = self._build_outcome(self.texts)

    @override
    def fail(self, error: str) -> None:
        self._emit_end()
        self.word_count = 0
        self.outcome = self._build_outcome([error])
        meta = self.outcome.payload["result"]["meta"]
        meta["agentMeta"]["usage"] |= {"input": 0, "total": 0}

    @override
    def stop(self, reason: str) -> None:
        pass

    @override
    def finish_stopped(self) -> None:
        self._emit_end()
        self.outcome = self._build_outcome([], aborted=True)

    def _emit_end(self) -> None:
        """Emit an end, which need not be the last one."""
        ended_at = self.gateway.now_ms()
        self.emit("lifecycle", {"phase": "end", "endedAt": ended_at})
        self._emit_chat("final", self.text)
        self.session_ended = True
        self.wait_result = {
            "runId": self.run_id,
            "status": "ok",
            "startedAt": self.started_at,
            "endedAt": ended_at,
        }

    def _emit_chat(self, state: str, text: str) -> None:
        """Emit a chat event, until the session has ended."""
        if self.session_ended:
            return
        event: Frame = {
            "runId": self.run_id,
            "sessionKey": self.session_key,
            "seq": self.seq,
            "state": state,
        }
        if text:
            event["message"] = {
                "role": "assistant",
                "content": [{"type": "text", "text": text.strip()}],
                "timestamp": self.gateway.now_ms(),
            }
        self.gateway.broadcast("chat", event)

    def _build_outcome(self, texts: list[str], *, aborted: bool = False) -> Outcome:
        """Return the final response with every segment."""
        final: Frame = payload(V3, "agent_run", "agent")
        meta = final["result"]["meta"]
        meta["durationMs"] = self.gateway.now_ms() - self.started_at
        meta["aborted"] = aborted
        meta["agentMeta"]["sessionId"] = self.session_id
        usage = meta["agentMeta"]["usage"]
        usage |= {"output": self.word_count, "total": usage["input"] + self.word_count}
        meta["systemPromptReport"] |= {
            "sessionId": self.session_id,
            "sessionKey": self.session_key,
        }
        final["runId"] = self.run_id
        final["result"]["payloads"] = payloads_of(self, texts)
        return Outcome(final)
