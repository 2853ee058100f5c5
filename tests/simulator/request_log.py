"""What the Gateway has seen, and how a test waits for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from .recordings import Frame


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received; ``connection`` counts them from 1."""

    connection: int
    id: str
    method: str
    params: Frame


@dataclass
class Seen:
    """Every request in the order of arrival, and the number of attempts.

    ``attempts`` counts the sockets that asked for the WebSocket upgrade,
    refused ones too.
    """

    requests: list[Request] = field(default_factory=list, init=False)
    attempts: int = field(default=0, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def received(self, method: str) -> list[Request]:
        """Return the requests of a method so far."""
        return [request for request in self.requests if request.method == method]

    async def wait_for_request(self, method: str, count: int = 1) -> Request:
        """Wait for the ``count``-th request of a method since the start."""
        await self.wait_until(lambda: len(self.received(method)) >= count)
        return self.received(method)[count - 1]

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on attempts, connections, requests, runs holds."""
        while not condition():
            await self._changed.wait()

    def note(self, request: Request) -> None:
        """Remember a request that arrived."""
        self.requests.append(request)
        self.note_change()

    def note_change(self) -> None:
        """Let who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()
