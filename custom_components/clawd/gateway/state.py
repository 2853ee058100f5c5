"""Connection state and its history."""

import asyncio
from collections import deque
from copy import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, count
from operator import itemgetter
import time
from typing import TYPE_CHECKING, Final, Literal

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
        FALLEN_BACK: the token was refused, or its scopes; the next attempt shows the
            device token, with the scopes that it has.
        LOST: the connection ended.
        LIMITED: connected, with missing scopes awaiting approval.
        UNEXPECTED: an exception that is a fault of the client.
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
    LIMITED = "limited"
    UNEXPECTED = "unexpected"
    RETRY = "retry"
    RESUMED = "resumed"
    WOKEN = "woken"
    STOPPED = "stopped"


_S = ConnectionState
_FAILURES: Final = (Cause.FAILED, Cause.REFUSED, Cause.UNEXPECTED)
_WAITING: Final = {
    Cause.UNEXPECTED: _S.RECONNECTING,
    Cause.RETRY: _S.CONNECTING,
    Cause.RESUMED: _S.CONNECTING,
    Cause.WOKEN: _S.CONNECTING,
    Cause.STOPPED: _S.CLOSED,
}
_ATTEMPTING: Final = {
    Cause.FAILED: _S.RECONNECTING,
    Cause.REFUSED: _S.PAUSED,
    Cause.UNEXPECTED: _S.RECONNECTING,
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
    _S.CONNECTED: {
        Cause.LOST: _S.RECONNECTING,
        Cause.LIMITED: _S.CONNECTED,
        Cause.UNEXPECTED: _S.RECONNECTING,
        Cause.STOPPED: _S.CLOSED,
    },
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
        monotonic_at: seconds of the monotonic clock, for durations.
        drill: the self-test caused it.

    """

    at: float
    previous: ConnectionState
    state: ConnectionState
    cause: Cause
    error: GatewayError | None = None
    pause: PauseReason | None = None
    delay: float | None = None
    monotonic_at: float = 0.0
    drill: bool = False

    @property
    def closed_by(self) -> Literal["us", "peer"] | None:
        """Return the closing side, if any."""
        close = self.error.close if self.error else None
        return close.by if close else None

    @property
    def close_reason(self) -> str:
        """Return the reason of the close frame."""
        close = self.error.close if self.error else None
        return close.reason if close else ""


class TransitionLog:
    """Log of the last transitions.

    Those of drills do not displace the others.

    Attributes:
        drill: whether the self-test causes the next ones.

    """

    def __init__(self) -> None:
        """Initialize without transitions."""
        self.drill = False
        self._numbers = count()
        self._kept: tuple[deque[tuple[int, Transition]], ...] = (
            deque(maxlen=MAX_TRANSITIONS),
            deque(maxlen=MAX_TRANSITIONS),
        )

    def snapshot(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        kept = sorted(chain(*self._kept), key=itemgetter(0))
        return tuple(transition for _, transition in kept)

    def add(self, transition: Transition) -> Transition:
        """Add a transition and return it.

        Marked if it belongs to a drill.
        """
        # A failed attempt is not caused by the drill.
        if transition.cause in _FAILURES:
            self.drill = False
        transition = replace(transition, drill=self.drill)
        self._kept[self.drill].append((next(self._numbers), transition))
        if transition.cause is Cause.HELLO:
            self.drill = False
        return transition


class StateHistory:
    """Current state and its history."""

    def __init__(self, log: TransitionLog | None = None) -> None:
        """Start in `CLOSED`."""
        self.state = ConnectionState.CLOSED
        self.error: GatewayError | None = None
        self._log = log or TransitionLog()
        self._waiters: set[asyncio.Future[Transition]] = set()

    def snapshot(self) -> tuple[Transition, ...]:
        """Return the last transitions, oldest first."""
        return self._log.snapshot()

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
        transition = self._log.add(
            Transition(
                time.time(),
                previous,
                self.state,
                cause,
                self.error,
                pause,
                delay,
                time.monotonic(),
            )
        )
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
