"""Models of the node."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..connect_profile import CALL_TOOL, NOTIFY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..models import Payload

PLUGIN_ID: Final = "homeassistant"
# Detail of a refusal: the Gateway has another connection or approval of this node.
PAIRING_CHANGED: Final = "PAIRING_CHANGED"

type CallHandler = Callable[[NodeCall], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class NodeTool:
    """Tool offered to agents.

    Attributes:
        parameters: JSON schema of an object.

    """

    name: str
    description: str
    parameters: Payload


@dataclass(frozen=True, slots=True)
class NodeCall:
    """Call of a tool or command.

    Attributes:
        id: unique for each call, and for each repetition of one.
        tool: name without prefix; None where the Gateway does not say.
        arguments: not validated.
        session_key: canonical; no proof of the caller. None without a session.
        timeout: seconds left to answer.

    """

    id: str
    tool: str | None
    arguments: Payload = field(repr=False)
    session_key: str | None = field(repr=False)
    timeout: float
    command: str = CALL_TOOL

    @property
    def is_notification(self) -> bool:
        """Return whether this is a notification."""
        return self.command == NOTIFY


class NodeCallError(Exception):
    """Failure of a call, for the model."""

    def __init__(self, code: str, message: str) -> None:
        """Initialize the error."""
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Call in progress.

    Attributes:
        deadline: seconds of the event loop's clock.

    """

    deadline: float
    session_key: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class NodeStatistics:
    """Counters of calls.

    `issued` is the sum of the outcomes and the open calls.

    Attributes:
        issued: calls that the Gateway sent, without repeated ones.
        answered: the handler returned a result.
        failed: the handler raised.
        refused: invalid, unknown command, or too many at once.
        cancelled: by the Gateway, a lost connection or a stop.
        expired: not answered before its deadline.
        not_ready: refused because the handler was not ready.
        repeated: calls of an id that was served before; no outcome.

    """

    issued: int = 0
    answered: int = 0
    failed: int = 0
    refused: int = 0
    cancelled: int = 0
    expired: int = 0
    not_ready: int = 0
    repeated: int = 0
