"""The state of the connection and its history."""

import asyncio
from collections import deque
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .backoff import Pause
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


class Cause(StrEnum):
    """What makes a client change its state.

    Attributes:
        STARTED: the client runs.
        OPENED: there is a WebSocket.
        AGREED: the Gateway has said hello.
        FAILED: an attempt failed, and the next one may not.
        REFUSED: an attempt failed, and so would the next one.
        FALLEN_BACK: the Gateway's token was refused, the device's own comes next.
        LOST: the connection ended.
        DUE: the delay is over.
        RESUMED: somebody asked to try again at once.
        WOKEN: the machine was suspended, and is not any more.
        STOPPED: the client does not run any more.

    """

    STARTED = "started"
    OPENED = "opened"
    AGREED = "agreed"
    FAILED = "failed"
    REFUSED = "refused"
    FALLEN_BACK = "fallen_back"
    LOST = "lost"
    DUE = "due"
    RESUMED = "resumed"
    WOKEN = "woken"
    STOPPED = "stopped"


_S = ConnectionState
_WAITING: Final = {
    Cause.DUE: _S.CONNECTING,
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
        Cause.AGREED: _S.CONNECTED,
        Cause.FALLEN_BACK: _S.RECONNECTING,
        **_ATTEMPTING,
    },
    _S.CONNECTED: {Cause.LOST: _S.RECONNECTING, Cause.STOPPED: _S.CLOSED},
    _S.RECONNECTING: _WAITING,
    _S.PAUSED: _WAITING,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state.

    Attributes:
        at: seconds since 1970.
        error: what went wrong, if something did.
        pause: what a paused client waits for.
        delay: seconds until the next attempt, if there will be one by itself.

    """

    at: float
    previous: ConnectionState
    state: ConnectionState
    cause: Cause
    error: GatewayError | None = None
    pause: Pause | None = None
    delay: float | None = None


class StateHistory:
    """The present state, how it came about, and who waits for the next one."""

    def __init__(self) -> None:
        """Start before the start."""
        self.state = ConnectionState.CLOSED
        self.error: GatewayError | None = None
        self._transitions: deque[Transition] = deque(maxlen=HISTORY_LENGTH)
        self._waiters: set[asyncio.Future[Transition]] = set()

    def snapshot(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        return tuple(self._transitions)

    def change(
        self,
        cause: Cause,
        error: GatewayError | None = None,
        pause: Pause | None = None,
        delay: float | None = None,
    ) -> Transition:
        """Enter the state to which a cause leads; wake whoever waits for a change.

        A copy of the error is kept: the frames of the error itself would keep
        the connection that it ended alive.
        """
        previous, self.state = self.state, TRANSITIONS[self.state][cause]
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
        """Wait for the next change."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Transition] = loop.create_future()
        self._waiters.add(waiter)
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
