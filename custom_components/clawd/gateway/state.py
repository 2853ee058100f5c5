"""State of the connection, and its history."""

import asyncio
from collections import deque
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backoff import PauseReason
    from .exceptions import GatewayError

MAX_TRANSITIONS: Final = 50


class ConnectionState(StrEnum):
    """State of the client."""

    CONNECTING = "connecting"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    PAUSED = "paused"
    CLOSED = "closed"


class Cause(StrEnum):
    """Cause of a transition.

    Attributes:
        STARTED: the client runs.
        OPENED: the WebSocket is open.
        HELLO: the Gateway accepted the handshake.
        FAILED: an attempt failed, and a retry may help.
        REFUSED: an attempt failed, and a retry cannot help.
        FALLEN_BACK: the token was refused, the device token comes next.
        LOST: the connection ended.
        RETRY: the delay is over.
        RESUMED: the caller asked for an attempt.
        WOKEN: the system slept.
        STOPPED: the client ended.

    """

    STARTED = "started"
    OPENED = "opened"
    HELLO = "hello"
    FAILED = "failed"
    REFUSED = "refused"
    FALLEN_BACK = "fallen_back"
    LOST = "lost"
    RETRY = "retry"
    RESUMED = "resumed"
    WOKEN = "woken"
    STOPPED = "stopped"


_S = ConnectionState
_WAITING: Final = {
    Cause.RETRY: _S.CONNECTING,
    Cause.RESUMED: _S.CONNECTING,
    Cause.WOKEN: _S.CONNECTING,
    Cause.STOPPED: _S.CLOSED,
}
_ATTEMPTING: Final = {
    Cause.FAILED: _S.RECONNECTING,
    Cause.REFUSED: _S.PAUSED,
    Cause.STOPPED: _S.CLOSED,
}
TRANSITIONS: Final[Mapping[ConnectionState, Mapping[Cause, ConnectionState]]] = {
    _S.CLOSED: {Cause.STARTED: _S.CONNECTING, Cause.STOPPED: _S.CLOSED},
    _S.CONNECTING: {Cause.OPENED: _S.HANDSHAKING, **_ATTEMPTING},
    _S.HANDSHAKING: {
        Cause.HELLO: _S.CONNECTED,
        Cause.FALLEN_BACK: _S.RECONNECTING,
        **_ATTEMPTING,
    },
    _S.CONNECTED: {Cause.LOST: _S.RECONNECTING, Cause.STOPPED: _S.CLOSED},
    _S.RECONNECTING: _WAITING,
    _S.PAUSED: _WAITING,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """Change of state.

    Attributes:
        at: seconds since 1970.
        error: reason of a failure.
        pause: reason of a pause.
        delay: seconds until the next attempt; None if it takes the user.

    """

    at: float
    previous: ConnectionState
    state: ConnectionState
    cause: Cause
    error: GatewayError | None = None
    pause: PauseReason | None = None
    delay: float | None = None


class StateHistory:
    """Current state, last transitions, and waiters for the next one."""

    def __init__(self) -> None:
        """Start in `CLOSED`."""
        self.state = ConnectionState.CLOSED
        self.error: GatewayError | None = None
        self._transitions: deque[Transition] = deque(maxlen=MAX_TRANSITIONS)
        self._waiters: set[asyncio.Future[Transition]] = set()

    def snapshot(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        return tuple(self._transitions)

    def change(
        self,
        cause: Cause,
        error: GatewayError | None = None,
        pause: PauseReason | None = None,
        delay: float | None = None,
    ) -> Transition:
        """Enter the next state; wake waiters."""
        previous, self.state = self.state, TRANSITIONS[self.state][cause]
        # A copy: the traceback of the original keeps the ended connection alive.
        self.error = copy(error)
        transition = Transition(
            time.time(), previous, self.state, cause, self.error, pause, delay
        )
        self._transitions.append(transition)
        for waiter in tuple(self._waiters):
            if not waiter.done():
                waiter.set_result(transition)
        return transition

    async def changed(self) -> Transition:
        """Wait for the next transition."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Transition] = loop.create_future()
        self._waiters.add(waiter)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
