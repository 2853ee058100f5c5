"""Result of a run, and its parts in the payloads of both protocols."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

from .payload import (
    is_number,
    read_count,
    read_mapping,
    read_seconds,
    read_strings,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .models import Payload

# Prefix of the run that tells of a sub-agent's end:
# announce:v1:<session of the sub-agent>:<its run>
COMPLETION_PREFIX: Final = "announce:v1:"
# Pictures and files of one reply, and characters of each reference; a path has 4096.
MAX_MEDIA: Final = 20
MAX_MEDIA_REFERENCE: Final = 4096


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost of a run.

    The cost is in US dollars; values are None if unknown.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    total: int | None = None
    cost: float | None = None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """Parse usage from `agentMeta` or a message."""
        # {"input": 75, "output": 1, "cacheRead": 0, "cacheWrite": 0, "total": 76,
        # "cost": {"total": 7.7e-05}}; v3 tells no cost. A message in a history has
        # `totalTokens` instead.
        usage = read_mapping(payload, "usage")
        cost = read_mapping(usage, "cost").get("total")
        return cls(
            read_count(usage, "input"),
            read_count(usage, "output"),
            read_count(usage, "cacheRead"),
            read_count(usage, "cacheWrite"),
            read_count(usage, "total" if "total" in usage else "totalTokens"),
            cost if is_number(cost) else None,
        )

    @classmethod
    def sum(cls, usages: Sequence[Self]) -> Self:
        """Return the sum of the known usage."""
        return cls(
            _sum(usage.input for usage in usages),
            _sum(usage.output for usage in usages),
            _sum(usage.cache_read for usage in usages),
            _sum(usage.cache_write for usage in usages),
            _sum(usage.total for usage in usages),
            _sum(usage.cost for usage in usages),
        )


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Usage of a run, and its last model; None if unknown."""

    provider: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class RunResult:
    """Result of a run.

    Attributes:
        text: the whole reply; segments are paragraphs.
        duration: in seconds, measured by the Gateway.
        delivery: what became of its delivery to a channel: `sent`, `failed` or
            `suppressed`; None if nothing is known.
        completions: ids of the runs to come that tell of sub-agents' ends (v4).
        media: references of its pictures and files: URLs, or paths at the Gateway.

    """

    run_id: str
    text: str = field(repr=False)
    duration: float | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    delivery: str | None = None
    completions: tuple[str, ...] = ()
    media: tuple[str, ...] = field(default=(), repr=False)

    def with_usage(self, other: ModelUsage) -> Self:
        """Return the result with a usage, unless it has one or none is known."""
        if self.usage != Usage() or other == ModelUsage():
            return self
        return replace(
            self, provider=other.provider, model=other.model, usage=other.usage
        )


def final_texts(payload: Payload) -> list[str]:
    """Return the reply texts of a response.

    v3 lists every segment of the reply, v4 only the last one.
    """
    payloads = read_mapping(payload, "result").get("payloads")
    entries = payloads if isinstance(payloads, list) else []
    texts = [entry.get("text") for entry in entries if isinstance(entry, dict)]
    return [text for text in texts if isinstance(text, str) and text]


def media_references(payload: Payload) -> list[str]:
    """Return the media references of an event."""
    # {"mediaUrl": null, "mediaUrls": ["/home/claw/ws/pic.png", "./note.txt"]}
    one = read_text(payload, "mediaUrl")
    every = read_strings(payload, "mediaUrls") or ([one] if one else [])
    return [
        reference.strip()
        for reference in every[:MAX_MEDIA]
        if 0 < len(reference.strip()) <= MAX_MEDIA_REFERENCE
    ]


def final_media(payload: Payload) -> list[str]:
    """Return the media references of a response."""
    payloads = read_mapping(payload, "result").get("payloads")
    entries = payloads if isinstance(payloads, list) else []
    found = [media_references(entry) for entry in entries if isinstance(entry, dict)]
    return [reference for references in found for reference in references]


def read_chat_end(payload: Payload) -> Payload:
    """Convert a final `chat` event to a response."""
    # {"state": "final", "message": {"content": [{"type": "text", "text": "…"}]}}
    content = read_mapping(payload, "message").get("content")
    entries = content if isinstance(content, list) else []
    texts = [entry for entry in entries if isinstance(entry, dict)]
    return {"status": "ok", "result": {"payloads": texts}}


def output_tokens(payload: Payload) -> int | None:
    """Return the output tokens, if known."""
    meta = read_mapping(read_mapping(payload, "result"), "meta")
    usage = read_mapping(read_mapping(meta, "agentMeta"), "usage")
    tokens = usage.get("output", usage.get("total"))
    return tokens if isinstance(tokens, int) else None


def run_result(
    run_id: str, payload: Payload, text: str, media: Iterable[str] = ()
) -> RunResult:
    """Build the result from a final response.

    `media` are the references from events.
    """
    every = dict.fromkeys((*media, *final_media(payload)))
    meta = read_mapping(read_mapping(payload, "result"), "meta")
    agent = read_mapping(meta, "agentMeta")
    return RunResult(
        run_id,
        text,
        read_seconds(meta, "durationMs"),
        read_text(agent, "provider"),
        read_text(agent, "model"),
        Usage.from_payload(agent),
        _delivery(read_mapping(payload, "result")),
        tuple(_completions(read_mapping(payload, "result"))),
        tuple(every)[:MAX_MEDIA],
    )


def _delivery(result: Payload) -> str | None:
    """Return the outcome of a delivery; one in part has failed."""
    status = read_text(read_mapping(result, "deliveryStatus"), "status")
    return "failed" if status == "partial_failed" else status


def _completions(result: Payload) -> Iterator[str]:
    """Yield the run ids for sub-agents' completions."""
    # {"acceptedSessionSpawns": [{"runId": "0a0c…", "childSessionKey":
    # "agent:main:subagent:dcd8…", "expectsCompletionMessage": true}]}
    spawns = result.get("acceptedSessionSpawns")
    for spawn in spawns if isinstance(spawns, list) else []:
        match spawn:
            case {
                "runId": str(run_id),
                "childSessionKey": str(key),
                "expectsCompletionMessage": True,
            }:
                yield f"{COMPLETION_PREFIX}{key}:{run_id}"


def _sum[T: (int, float)](values: Iterable[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
