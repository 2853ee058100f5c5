"""Listener to events."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from custom_components.clawd.gateway import Event

from .conversations import PROMPT


@dataclass(eq=False)
class EventListener:
    """Event listener that records events, raises, or awaits."""

    kind: str
    received: list[Event] = field(default_factory=list)
    failures: int = 0

    def __call__(self, event: Event) -> Awaitable[None] | None:
        """Record an event."""
        self.received.append(event)
        if self.kind == "raises":
            self.failures += 1
            raise ValueError(PROMPT, event)
        return self._yield() if self.kind == "awaits" else None

    async def _yield(self) -> None:
        await asyncio.sleep(0)
