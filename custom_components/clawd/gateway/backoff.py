"""Whether to connect again, and when."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
import random
import time
from typing import TYPE_CHECKING, Final

from .exceptions import (
    CertificateError,
    GatewayAuthenticationError,
    InsecureTransportError,
    InvalidTokenError,
    MissingScopeError,
    PairingRequiredError,
    RateLimitedError,
    UnsupportedProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exceptions import GatewayError
    from .models import Timing

MINUTE: Final = 60.0
LONGEST_ORDER: Final = 3600.0
MOST_DOUBLINGS: Final = 16


class Pause(StrEnum):
    """What a client waits for that no retry brings about."""

    TOKEN = "token"  # noqa: S105 - the name of a reason
    APPROVAL = "approval"
    SCOPES = "scopes"
    DEVICE = "device"
    RATE_LIMIT = "rate_limit"
    PROTOCOL = "protocol"
    CERTIFICATE = "certificate"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pause, and the seconds after which it may be over by itself, if it may."""

    pause: Pause
    recheck: float | None


# A wrong token that is tried again and again locks the device out. But a device
# may be approved, a clock set, a Gateway updated, a certificate renewed.
_RULES: Final = (
    (InvalidTokenError, _Rule(Pause.TOKEN, None)),
    (PairingRequiredError, _Rule(Pause.APPROVAL, 30.0)),
    (MissingScopeError, _Rule(Pause.SCOPES, None)),
    (RateLimitedError, _Rule(Pause.RATE_LIMIT, 60.0)),
    (GatewayAuthenticationError, _Rule(Pause.DEVICE, 300.0)),
    (UnsupportedProtocolError, _Rule(Pause.PROTOCOL, 300.0)),
    (CertificateError, _Rule(Pause.CERTIFICATE, 300.0)),
    (InsecureTransportError, _Rule(Pause.TRANSPORT, None)),
)


def pause_of(error: GatewayError) -> Pause | None:
    """Return what a client has to wait for; None if a retry may help."""
    rule = _rule(error)
    return rule.pause if rule else None


def least_delay(error: GatewayError) -> float | None:
    """Return the least seconds until the next attempt; None if none can help.

    What the Gateway asks for is an order, within reason.
    """
    if error.retry_after is not None:
        return min(error.retry_after, LONGEST_ORDER)
    rule = _rule(error)
    return rule.recheck if rule else 0.0


def jitter_bound(timing: Timing, attempt: int) -> float:
    """Return the upper bound in seconds of the delay after the nth failure, from 0."""
    doublings = min(attempt, MOST_DOUBLINGS)
    return min(timing.longest_delay, timing.first_delay * 2.0**doublings)


def turn_delay(retries: deque[float], now: float) -> float:
    """Return the seconds until there may be another attempt.

    `retries` is full when it holds as many moments as a minute may have.
    """
    if len(retries) != retries.maxlen:
        return 0.0
    return retries[0] + MINUTE - now


class Backoff:
    """Exponential backoff with full jitter.

    The nth delay in a row is uniform between 0 and `jitter_bound`; but never
    shorter than the Gateway asked for, and never so short that there would be
    more than `most_attempts` in a minute.
    """

    def __init__(
        self,
        timing: Timing,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start at the first delay."""
        self._timing = timing
        self._jitter = jitter
        self._clock = clock
        self._attempt = 0
        self._retries: deque[float] = deque(maxlen=timing.most_attempts - 1)

    def reset(self) -> None:
        """Start over: the link has been stable."""
        self._attempt = 0

    def revoke(self) -> None:
        """Take the last delay back: somebody asked not to wait for it."""
        self._attempt -= 1
        self._retries.pop()

    def delay(self, least: float) -> float:
        """Return the seconds until the next attempt, at least `least`."""
        now = self._clock()
        jittered = jitter_bound(self._timing, self._attempt) * self._jitter()
        delay = max(least, jittered, turn_delay(self._retries, now))
        self._attempt += 1
        self._retries.append(now + delay)
        return delay


def _rule(error: GatewayError) -> _Rule | None:
    return next((rule for kind, rule in _RULES if isinstance(error, kind)), None)
