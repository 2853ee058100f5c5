"""How Clawdbot 2026.1.24-3 tells a run."""

from dataclasses import dataclass
from typing import override

from .recordings import V3, Frame, payload
from .run_events import Narration, Outcome
from .script import Tool

CHAT_INTERVAL = 0.15
TOOL_SECONDS = 0.2


@dataclass
class NarrationV3(Narration):
    """One event a word, no tool events, a first end that forgets the session."""

    chat_at: float = -CHAT_INTERVAL
    forgotten: bool = False

    @override
    def show(self, stream: str, data: Frame, **extra: object) -> None:
        now = self.gateway.now_ms()
        event = {
            "runId": self.run_id,
            "stream": stream,
            "data": data,
            "seq": self.seq,
            "ts": now,
        }
        if not self.forgotten:
            event["sessionKey"] = self.session_key
        self.gateway.broadcast("agent", event)

    @override
    def accepted(self) -> Frame:
        return {
            "runId": self.run_id,
            "status": "accepted",
            "acceptedAt": self.accepted_at,
        }

    @override
    def repeated(self) -> Frame:
        return self.accepted()

    @override
    def queue(self, *, busy: bool) -> None:
        pass

    @override
    def begin(self) -> None:
        self.started_at = self.gateway.now_ms()
        self.agent("lifecycle", {"phase": "start", "startedAt": self.started_at})

    @override
    def say(self, chunk: str, delay: float, *, whole: bool) -> None:
        self.clock += delay
        self.words += 1
        self.segments[-1] += chunk
        self.agent("assistant", {"text": self.text, "delta": chunk})
        if self.clock - self.chat_at >= CHAT_INTERVAL:
            self.chat_at = self.clock
            self._chat("delta", self.text)

    @override
    def tool(self, step: Tool) -> None:
        self.seq += 3
        self.clock += TOOL_SECONDS
        self.tools.append(step.name)
        self.segments.append("")

    @override
    def replace(self, text: str) -> None:
        self.segments[-1] = text
        self.agent("assistant", {"text": text, "delta": "", "replace": True})

    @override
    def retry(self, error: str) -> None:
        self._ended()
        self.segments[-1] = ""
        self.begin()

    @override
    def end(self) -> None:
        self._ended()
        self.outcome = self._completed(self.spoken)

    @override
    def fail(self, error: str) -> None:
        self._ended()
        self.words = 0
        self.outcome = self._completed([error])
        meta = self.outcome.payload["result"]["meta"]
        meta["agentMeta"]["usage"] |= {"input": 0, "total": 0}

    @override
    def stop(self, reason: str) -> None:
        pass

    @override
    def stopped(self) -> None:
        self._ended()
        self.outcome = self._completed([], aborted=True)

    def _ended(self) -> None:
        """Tell an end, which is not always the last one."""
        ended_at = self.gateway.now_ms()
        self.agent("lifecycle", {"phase": "end", "endedAt": ended_at})
        self._chat("final", self.text)
        self.forgotten = True
        self.waited = {
            "runId": self.run_id,
            "status": "ok",
            "startedAt": self.started_at,
            "endedAt": ended_at,
        }

    def _chat(self, state: str, text: str) -> None:
        """Tell the text again as a chat event, while the session is known."""
        if self.forgotten:
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

    def _completed(self, texts: list[str], *, aborted: bool = False) -> Outcome:
        """Return the final response with every segment."""
        final: Frame = payload(V3, "agent_run", "agent")
        meta = final["result"]["meta"]
        meta["durationMs"] = self.gateway.now_ms() - self.started_at
        meta["aborted"] = aborted
        meta["agentMeta"]["sessionId"] = self.session_id
        usage = meta["agentMeta"]["usage"]
        usage |= {"output": self.words, "total": usage["input"] + self.words}
        meta["systemPromptReport"] |= {
            "sessionId": self.session_id,
            "sessionKey": self.session_key,
        }
        final["runId"] = self.run_id
        final["result"]["payloads"] = [
            {"text": text, "mediaUrl": None} for text in texts
        ]
        return Outcome(final)
