"""Streamed reply of an assistant."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from .api import HomeAssistantApi


class ReplyError(Exception):
    """The reply is an error, or empty."""


@dataclass
class Reply:
    """Text and times, in milliseconds since the message."""

    text: str = ""
    deltas: int = 0
    first_delta_ms: float = 0.0
    total_ms: float = 0.0
    conversation_id: str = ""
    _new_message: bool = field(default=False, repr=False)

    def add(self, delta: dict[str, Any], elapsed_ms: float) -> str:
        """Add a delta and return its text.

        Messages of one reply are paragraphs.
        """
        if "role" in delta:
            self._new_message = bool(self.text)
        text: str = delta.get("content") or ""
        if not text:
            return ""
        if self._new_message:
            self._new_message = False
            text = f"\n\n{text}"
        if not self.deltas:
            self.first_delta_ms = elapsed_ms
        self.deltas += 1
        self.text += text
        return text

    def as_dict(self) -> dict[str, str | int | float]:
        """Return the reply for the demo's JSON."""
        return {
            "text": self.text,
            "deltas": self.deltas,
            "first_delta_ms": self.first_delta_ms,
            "total_ms": self.total_ms,
        }


async def ask(
    api: HomeAssistantApi,
    pipeline: str,
    message: str,
    on_text: Callable[[str], None],
    conversation_id: str | None = None,
) -> Reply:
    """Ask an assistant and stream its reply; go on with a conversation, if given.

    Raises:
        ReplyError: the reply is an error, or empty.
    """
    reply = Reply()
    sent = perf_counter()
    run = api.events(
        "assist_pipeline/run",
        start_stage="intent",
        end_stage="intent",
        input={"text": message},
        pipeline=pipeline,
        conversation_id=conversation_id,
    )
    async with aclosing(run):
        async for event in run:
            elapsed_ms = round((perf_counter() - sent) * 1000, 1)
            match event["type"]:
                case "intent-progress":
                    on_text(reply.add(event["data"]["chat_log_delta"], elapsed_ms))
                case "intent-end":
                    reply.total_ms = elapsed_ms
                    output = event["data"]["intent_output"]
                    reply.conversation_id = output["conversation_id"] or ""
                    _check(event["data"]["intent_output"]["response"])
                case "error":
                    raise ReplyError(event["data"]["message"])
                case "run-end":
                    break
    if not reply.text.strip():
        raise ReplyError("the reply is empty")
    return reply


def _check(response: dict[str, Any]) -> None:
    if response["response_type"] == "error":
        raise ReplyError(response["speech"]["plain"]["speech"])
