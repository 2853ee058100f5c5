"""Events of a tool call on OpenClaw 2026.9.6."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .recordings import Frame

if TYPE_CHECKING:
    from .run_events import RunEvents


@dataclass
class ToolCallV4:
    """One call of a tool, as item and as tool events.

    ``parent``: id of the call that made this one; ``listed``: the title shows the
    first argument.
    """

    events: RunEvents
    name: str
    call_id: str
    args: Mapping[str, Any]
    parent: str = ""
    listed: bool = True
    started_at: int = 0

    @property
    def meta(self) -> str:
        """Return the arguments in the title."""
        first = next((str(value) for value in self.args.values()), "")
        return first if self.listed else ""

    def start(self) -> None:
        """Emit the start."""
        self.started_at = self.events.gateway.now_ms()
        item = {**self._item(), "phase": "start", "status": "running"}
        self.events.emit("item", item)
        call = {**self._call(), "phase": "start", "args": dict(self.args)}
        self.events.emit("tool", call)

    def end(self, result: Frame, **session: object) -> None:
        """Emit result and end."""
        status = "failed" if result["isError"] else "completed"
        ended = {"status": status, "endedAt": self.events.gateway.now_ms()}
        self.events.emit("tool", {**self._call(), **result}, **session)
        self.events.emit("item", {**self._item(), "phase": "end", **ended})

    def _call(self) -> Frame:
        parent = {"parentToolCallId": self.parent} if self.parent else {}
        return {"name": self.name, "toolCallId": self.call_id, **parent}

    def _item(self) -> Frame:
        return {
            "name": self.name,
            "toolCallId": self.call_id,
            "itemId": f"tool:{self.call_id}",
            "kind": "tool",
            "title": f"{self.name.replace('_', ' ').title()} {self.meta}".strip(),
            **({"meta": self.meta} if self.meta else {}),
            "commandBearing": False,
            "startedAt": self.started_at,
        }
