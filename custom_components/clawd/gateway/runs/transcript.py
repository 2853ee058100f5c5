"""Transcript of a run."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..run_result import ModelUsage, Usage

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..models import Json, Payload
    from .request import RunRequest


@dataclass(frozen=True, slots=True)
class Transcript:
    """Run in the history of its session.

    Attributes:
        known: the Gateway has the question.
        texts: finished segments of the reply, in order.
        finished: the last segment ends the reply.
        active: the run is active; None where the Gateway does not say (v3).
        cut: the question may be older than the returned messages.
        usage: usage and model, as far as the messages have them.

    """

    known: bool
    texts: tuple[str, ...] = field(default=(), repr=False)
    finished: bool = False
    active: bool | None = None
    cut: bool = False
    usage: ModelUsage = field(default_factory=ModelUsage)


def read_transcript(
    history: Json,
    request: RunRequest,
    asked_at: float,
    limit: int,
    gateway_id: str | None = None,
) -> Transcript:
    """Find a run in the history.

    `asked_at` is in seconds since 1970 on the Gateway's clock, `limit` the number of
    requested messages, `gateway_id` the Gateway's id of the run if it has its own.
    """
    payload = history if isinstance(history, dict) else {}
    run_ids = {request.run_id, gateway_id or request.run_id}
    active = _active(payload, run_ids)
    messages = _objects(payload.get("messages"))
    for index, entry in enumerate(messages):
        if _is_question(entry, request, asked_at):
            return _read_reply(messages[index + 1 :], active, run_ids)
    known = active is True or _is_queued(payload, request.run_id)
    return Transcript(known, active=active, cut=len(messages) >= limit)


def read_replies(history: Json) -> dict[str, str]:
    """Return the last replies by run id (v4)."""
    payload = history if isinstance(history, dict) else {}
    replies = {}
    for entry in _objects(payload.get("messages")):
        match entry:
            # v4: {"role": "assistant", "__openclaw": {"runId": "announce:v1:…"}, …}
            case {
                "role": "assistant",
                "stopReason": "stop",
                "__openclaw": {"runId": str(run_id)},
            }:
                replies[run_id] = _text(entry)
    return replies


def read_usage(history: Json, run_ids: Collection[str]) -> ModelUsage:
    """Return the usage of a run, whose ids its messages have (v4)."""
    payload = history if isinstance(history, dict) else {}
    messages = _objects(payload.get("messages"))
    return _sum_usage([entry for entry in messages if _run_id(entry) in run_ids])


def _sum_usage(messages: list[Payload]) -> ModelUsage:
    """Return the usage of the messages of a run."""
    provider = model = None
    usages = []
    for entry in messages:
        match entry:
            # {"role": "assistant", "provider": "openai", "model": "gpt-5", "usage":
            # {"input": 75, …}}, one for each request to the model.
            case {
                "role": "assistant",
                "provider": str(of_provider),
                "model": str(of_model),
            }:
                provider, model = of_provider, of_model
                usages.append(Usage.from_payload(entry))
    return ModelUsage(provider, model, Usage.sum(usages))


def _run_id(entry: Payload) -> str | None:
    """Return the id of the run of a message, if it is told (v4)."""
    match entry:
        case {"__openclaw": {"runId": str(run_id)}}:
            return run_id
    return None


def _read_reply(
    messages: list[Payload],
    active: bool | None,  # noqa: FBT001 - as the field
    run_ids: set[str],
) -> Transcript:
    texts: list[str] = []
    reason: Any = None
    used: list[Payload] = []
    for entry in messages:
        if entry.get("role") == "user":
            break
        if _run_id(entry) in {None, *run_ids}:
            used.append(entry)
        if entry.get("role") == "assistant":
            reason = entry.get("stopReason", reason)
            text = _text(entry) or str(entry.get("errorMessage", ""))
            texts += [text] if text and text not in texts[-1:] else []
    # "toolUse" is followed by another segment, "error" by another attempt.
    finished = reason not in (None, "toolUse", "error") and not active
    return Transcript(
        known=True,
        texts=tuple(texts),
        finished=finished,
        active=active,
        usage=_sum_usage(used),
    )


def _is_question(entry: Payload, request: RunRequest, asked_at: float) -> bool:
    if entry.get("role") != "user":
        return False
    # v4: {"role": "user", "idempotencyKey": "<run id>:user", …}. v3 has only text
    # and time: {"role": "user", "content": [{"text": …}], "timestamp": 1764…}.
    if key := entry.get("idempotencyKey"):
        return bool(key == f"{request.run_id}:user")
    at = entry.get("timestamp")
    recent = isinstance(at, int | float) and at / 1000 >= asked_at
    return recent and request.message.strip() in _text(entry)


def _active(payload: Payload, run_ids: set[str]) -> bool | None:
    match payload.get("sessionInfo"):
        case {"activeRunIds": list(active)}:
            return any(run_id in active for run_id in run_ids)
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
