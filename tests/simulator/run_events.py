"""How a run is told on the wire, whatever the protocol."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
import uuid

from .recordings import Frame
from .script import Tool

if TYPE_CHECKING:
    from .server import GatewaySimulator


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final response of a run."""

    payload: Frame
    error: Frame | None = None


@dataclass
class Narration(ABC):
    """The frames of one run: its events, its responses, its result.

    ``seq`` counts the run's events, ``segments`` hold its text, a new one after
    each tool, ``clock`` is the run's own time in seconds, by which text is
    coalesced, so that frames do not depend on how fast the machine is.
    """

    gateway: GatewaySimulator
    run_id: str
    session_key: str
    message: str
    session_id: str
    seq: int = 0
    clock: float = 0.0
    segments: list[str] = field(default_factory=lambda: [""])
    tools: list[str] = field(default_factory=list)
    words: int = 0
    started_at: int = 0
    accepted_at: int = 0
    waited: Frame | None = None
    outcome: Outcome | None = None
    item: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        """Note when the run was accepted."""
        self.accepted_at = self.started_at = self.gateway.now_ms()

    @property
    def agent_id(self) -> str:
        """Return the agent that the session belongs to."""
        return self.session_key.split(":")[1]

    @property
    def text(self) -> str:
        """Return the text of the current segment."""
        return self.segments[-1]

    @property
    def spoken(self) -> list[str]:
        """Return the segments that are not empty."""
        return [segment for segment in self.segments if segment]

    def agent(self, stream: str, data: Frame, **extra: object) -> None:
        """Broadcast an event of the run, the next in its order."""
        self.seq += 1
        self.show(stream, data, **extra)

    @abstractmethod
    def show(self, stream: str, data: Frame, **extra: object) -> None:
        """Broadcast an event under the current number."""

    @abstractmethod
    def accepted(self) -> Frame:
        """Return the payload of the first response."""

    @abstractmethod
    def repeated(self) -> Frame:
        """Return the payload for the same request while the run is not over."""

    @abstractmethod
    def queue(self, *, busy: bool) -> None:
        """Tell that the run waits for its session."""

    @abstractmethod
    def begin(self) -> None:
        """Tell that the run starts."""

    @abstractmethod
    def say(self, chunk: str, delay: float, *, whole: bool) -> None:
        """Tell more text; ``whole`` text is not coalesced."""

    @abstractmethod
    def tool(self, step: Tool) -> None:
        """Tell a tool call with its result."""

    @abstractmethod
    def replace(self, text: str) -> None:
        """Tell that the current segment has another text."""

    @abstractmethod
    def retry(self, error: str) -> None:
        """Tell that the provider failed and is asked again."""

    @abstractmethod
    def end(self) -> None:
        """Tell the good end."""

    @abstractmethod
    def fail(self, error: str) -> None:
        """Tell that the provider failed for good."""

    @abstractmethod
    def stop(self, reason: str) -> None:
        """Tell that the run is being stopped: ``rpc`` or ``timeout``."""

    @abstractmethod
    def stopped(self) -> None:
        """Tell the end of a run that was stopped."""
