"""Log of received requests, and waiting for them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from .recordings import Frame


@dataclass(frozen=True, slots=True)
class Request:
    """Received request; ``connection`` is the connection's number, from 1."""

    connection: int
    id: str
    method: str
    params: Frame


@dataclass
class RequestLog:
    """Requests in order of arrival, and connection attempts.

    ``attempts`` counts WebSocket upgrade requests, refused ones included.
    """

    requests: list[Request] = field(default_factory=list, init=False)
    attempts: int = field(default=0, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def received(self, method: str) -> list[Request]:
        """Return the received requests of a method."""
        return [request for request in self.requests if request.method == method]

    async def wait_for_request(self, method: str, count: int = 1) -> Request:
        """Wait for the ``count``-th request of a method."""
        await self.wait_until(lambda: len(self.received(method)) >= count)
        return self.received(method)[count - 1]

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the Gateway's state holds."""
        while not condition():
            await self._changed.wait()

    def record(self, request: Request) -> None:
        """Add a received request."""
        self.requests.append(request)
        self.notify()

    def notify(self) -> None:
        """Wake up waiters to check their conditions."""
        self._changed.set()
        self._changed = asyncio.Event()
