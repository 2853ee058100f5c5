"""What a session's history tells of one run."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .frames import Json, Payload


@dataclass(frozen=True, slots=True)
class Transcript:
    """A run as the Gateway wrote it down.

    Attributes:
        known: the Gateway has taken the question.
        texts: the finished segments of the reply, in order.
        finished: the last segment ends the reply.
        active: the run is under way; None where the Gateway does not say (v3).
        cut: the question may stand above the messages that were given.

    """

    known: bool
    texts: tuple[str, ...] = field(default=(), repr=False)
    finished: bool = False
    active: bool | None = None
    cut: bool = False


def read_transcript(
    history: Json, run_id: str, message: str, asked_at: float, limit: int
) -> Transcript:
    """Find a run in the answer to `chat.history` with a limit of messages.

    v4 marks the question with the run's id; v3 has its text and its time only.
    `asked_at` is in seconds since 1970, on the Gateway's clock.
    """
    payload = history if isinstance(history, dict) else {}
    active = _active(payload, run_id)
    messages = _objects(payload.get("messages"))
    for index, entry in enumerate(messages):
        if _is_question(entry, run_id, message, asked_at):
            return _read_reply(messages[index + 1 :], active)
    known = active is True or _is_queued(payload, run_id)
    return Transcript(known, active=active, cut=len(messages) >= limit)


def _read_reply(messages: list[Payload], active: bool | None) -> Transcript:  # noqa: FBT001 - as the field
    texts: list[str] = []
    reason: Any = None
    for entry in messages:
        if entry.get("role") == "user":
            break
        if entry.get("role") == "assistant":
            reason = entry.get("stopReason", reason)
            text = _text(entry) or str(entry.get("errorMessage", ""))
            texts += [text] if text and text not in texts[-1:] else []
    finished = reason not in (None, "toolUse", "error") and not active
    return Transcript(True, tuple(texts), finished, active)  # noqa: FBT003 - as the field


def _is_question(entry: Payload, run_id: str, message: str, asked_at: float) -> bool:
    if entry.get("role") != "user":
        return False
    if key := entry.get("idempotencyKey"):
        return bool(key == f"{run_id}:user")
    at = entry.get("timestamp")
    recent = isinstance(at, int | float) and at / 1000 >= asked_at
    return recent and message.strip() in _text(entry)


def _active(payload: Payload, run_id: str) -> bool | None:
    match payload.get("sessionInfo"):
        case {"activeRunIds": list(active)}:
            return run_id in active
    return None


def _is_queued(payload: Payload, run_id: str) -> bool:
    match payload.get("pendingInputs"):
        case {"items": items}:
            return any(item.get("runId") == run_id for item in _objects(items))
    return False


def _text(entry: Payload) -> str:
    content = entry.get("content")
    if isinstance(content, str):
        return content.strip()
    texts = [part.get("text") for part in _objects(content)]
    return "".join(text for text in texts if isinstance(text, str)).strip()


def _objects(value: Json) -> list[Payload]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]
