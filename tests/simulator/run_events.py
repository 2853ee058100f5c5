"""Events of a run, independent of the protocol."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

from .recordings import Frame
from .script import CallTool, Tool

if TYPE_CHECKING:
    from .server import GatewaySimulator


@dataclass(frozen=True, slots=True)
class Outcome:
    """Final response of a run."""

    payload: Frame
    error: Frame | None = None


@dataclass
class RunEvents(ABC):
    """Events, responses and result of one run.

    ``seq`` counts the run's events. ``segments`` hold its text, with a new one
    after each tool. ``tool_text`` is the result of the last tool of a node.
    ``media`` are references to the files it shows.
    ``clock`` is the run's own time in seconds: text is coalesced by it, so that
    frames do not depend on the machine's speed. ``quiet`` runs have no events.
    """

    gateway: GatewaySimulator
    run_id: str
    session_key: str
    message: str
    session_id: str
    seq: int = 0
    clock: float = 0.0
    segments: list[str] = field(default_factory=lambda: [""])
    media: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    tool_text: str = ""
    word_count: int = 0
    started_at: int = 0
    accepted_at: int = 0
    wait_result: Frame | None = None
    outcome: Outcome | None = None
    quiet: bool = False
    item_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        """Set the time of acceptance."""
        self.accepted_at = self.started_at = self.gateway.now_ms()

    @property
    def agent_id(self) -> str:
        """Return the id of the session's agent."""
        return self.session_key.split(":")[1]

    @property
    def text(self) -> str:
        """Return the text of the current segment."""
        return self.segments[-1]

    @property
    def texts(self) -> list[str]:
        """Return the segments that are not empty."""
        return [segment for segment in self.segments if segment]

    def emit(self, stream: str, data: Frame, **extra: object) -> None:
        """Broadcast the next agent event."""
        self.seq += 1
        self.broadcast(stream, data, **extra)

    @abstractmethod
    def broadcast(self, stream: str, data: Frame, **extra: object) -> None:
        """Broadcast an agent event with the current ``seq``."""

    @abstractmethod
    def accepted_payload(self) -> Frame:
        """Return the payload of the first response."""

    @abstractmethod
    def duplicate_payload(self) -> Frame:
        """Return the payload for a duplicate of the request."""

    @abstractmethod
    def queue(self, *, busy: bool) -> None:
        """Emit that the run is queued."""

    @abstractmethod
    def start(self) -> None:
        """Emit the start of the run."""

    @abstractmethod
    def emit_text(self, chunk: str, delay: float, *, whole: bool) -> None:
        """Emit a text chunk; ``whole`` chunks are not coalesced."""

    @abstractmethod
    def emit_media(self, references: list[str]) -> None:
        """Emit references to files that the reply shows."""

    @abstractmethod
    def emit_tool_call(self, step: Tool) -> None:
        """Emit a tool call and its result."""

    def start_node_call(self, step: CallTool) -> str:
        """Emit the start of a call of a node's tool; return its id."""
        raise NotImplementedError

    def end_node_call(self, step: CallTool, result: Frame) -> None:
        """Emit the result of a node's tool."""
        raise NotImplementedError

    @abstractmethod
    def replace_text(self, text: str) -> None:
        """Emit a replacement of the current segment."""

    @abstractmethod
    def retry(self, error: str) -> None:
        """Emit a failed attempt and its retry."""

    @abstractmethod
    def complete(self) -> None:
        """Emit the successful end."""

    @abstractmethod
    def fail(self, error: str) -> None:
        """Emit the final failure."""

    @abstractmethod
    def stop(self, reason: str) -> None:
        """Emit that the run is stopped: ``rpc`` or ``timeout``."""

    @abstractmethod
    def finish_stopped(self) -> None:
        """Emit the end of a stopped run."""


def payloads_of(events: RunEvents, texts: list[str]) -> list[Frame]:
    """Return the payloads of a final response; the last one has the media."""
    # Seen: {"text": "Here it is.", "mediaUrl": null, "mediaUrls": ["a.png", "./b"]}
    payloads: list[Frame] = [{"text": text, "mediaUrl": None} for text in texts]
    if media := events.media:
        payloads = payloads or [{"mediaUrl": None}]
        payloads[-1] |= {"mediaUrl": None, "mediaUrls": media}
    return payloads
