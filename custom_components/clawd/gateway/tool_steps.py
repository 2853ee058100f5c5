"""The steps that an agent takes with its tools."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .frames import Json, Payload


@dataclass(frozen=True, slots=True)
class ToolCall:
    """An agent calls a tool."""

    id: str
    name: str
    args: Payload = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A tool has answered; `result` as the Gateway has it, None if it was missed."""

    id: str
    name: str
    result: Json = field(repr=False)
    is_error: bool


class ToolSteps:
    """The calls of one run and their results; each has the other."""

    def __init__(self) -> None:
        """Start without a call."""
        self._open: dict[str, ToolCall] = {}

    def read(self, data: Payload) -> ToolCall | ToolResult | None:
        """Return the step that the data of a `tool` event tell, if they tell one."""
        match data:
            case {"phase": "start", "toolCallId": str(call_id), "name": str(name)}:
                args = data.get("args")
                call = ToolCall(call_id, name, args if isinstance(args, dict) else {})
                self._open[call_id] = call
                return call
            case {"phase": "result", "toolCallId": str(call_id)}:
                if known := self._open.pop(call_id, None):
                    failed = data.get("isError") is True
                    return ToolResult(call_id, known.name, data.get("result"), failed)
        return None

    def close(self) -> list[ToolResult]:
        """Return the results that were missed."""
        calls = list(self._open.values())
        self._open.clear()
        return [ToolResult(call.id, call.name, None, is_error=True) for call in calls]
