"""Tool calls of a run."""

from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models import Json, Payload

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Call of a tool by the agent."""

    id: str
    name: str
    args: Payload = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Result of a tool call.

    None if missed.
    """

    id: str
    name: str
    result: Json = field(repr=False)
    is_error: bool


class ToolCalls:
    """Open tool calls of a run."""

    def __init__(self, run_id: str) -> None:
        """Initialize without calls."""
        self._run_id = run_id
        self._open: dict[str, ToolCall] = {}

    def read(self, data: Payload) -> ToolCall | ToolResult | None:
        """Parse a `tool` event.

        None for other phases.
        """
        match data:
            case {"phase": "start", "toolCallId": str(call_id), "name": str(name)}:
                _LOGGER.debug("Run %s calls a tool", self._run_id)
                args = data.get("args")
                call = ToolCall(call_id, name, args if isinstance(args, dict) else {})
                self._open[call_id] = call
                return call
            case {"phase": "result", "toolCallId": str(call_id)}:
                if known := self._open.pop(call_id, None):
                    failed = data.get("isError") is True
                    outcome = "failed" if failed else "returned"
                    _LOGGER.debug("Run %s: a tool %s", self._run_id, outcome)
                    return ToolResult(call_id, known.name, data.get("result"), failed)
        return None

    def close(self) -> list[ToolResult]:
        """Return error results for the open calls."""
        calls = list(self._open.values())
        self._open.clear()
        return [ToolResult(call.id, call.name, None, is_error=True) for call in calls]
