"""The state of the connection and its history."""

import asyncio
from collections import deque
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .exceptions import GatewayError

HISTORY_LENGTH: Final = 50


class ConnectionState(StrEnum):
    """Where a client is between start and end."""

    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state; `at` in seconds since 1970, `delay` in seconds."""

    at: float
    previous: ConnectionState
    state: ConnectionState
    error: GatewayError | None = None
    delay: float | None = None


class StateHistory:
    """The present state, how it came about, and who waits for the next one."""

    def __init__(self) -> None:
        """Start before the first attempt."""
        self.state = ConnectionState.CONNECTING
        self.error: GatewayError | None = None
        self._transitions: deque[Transition] = deque(maxlen=HISTORY_LENGTH)
        self._waiters: set[asyncio.Future[Transition]] = set()

    def snapshot(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        return tuple(self._transitions)

    def change(
        self,
        state: ConnectionState,
        error: GatewayError | None = None,
        delay: float | None = None,
    ) -> Transition:
        """Enter a state and wake whoever waits for a change.

        A copy of the error is kept: the frames of the error itself would keep
        the connection that it ended alive.
        """
        self.error = copy(error)
        transition = Transition(time.time(), self.state, state, self.error, delay)
        self.state = state
        self._transitions.append(transition)
        for waiter in tuple(self._waiters):
            if not waiter.done():
                waiter.set_result(transition)
        return transition

    async def changed(self) -> Transition:
        """Wait for the next change."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Transition] = loop.create_future()
        self._waiters.add(waiter)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
