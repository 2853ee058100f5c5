"""Listeners to events."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from custom_components.clawd.gateway import Event

from .conversations import PROMPT


@dataclass(eq=False)
class Ear:
    """A listener that only hears, or fails, or has work to do."""

    kind: str
    heard: list[Event] = field(default_factory=list)
    failures: int = 0

    def __call__(self, event: Event) -> Awaitable[None] | None:
        """Take an event."""
        self.heard.append(event)
        if self.kind == "fails":
            self.failures += 1
            raise ValueError(PROMPT, event)
        return self._work() if self.kind == "works" else None

    async def _work(self) -> None:
        await asyncio.sleep(0)
