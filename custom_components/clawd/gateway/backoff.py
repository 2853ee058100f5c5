"""Retry policy of the client."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
import random
import time
from typing import TYPE_CHECKING, Final

from .exceptions import (
    SCOPE_MISMATCH,
    CertificateError,
    GatewayAuthenticationError,
    InsecureTransportError,
    InvalidTokenError,
    MissingScopeError,
    PairingRequiredError,
    ProxyRefusedError,
    RateLimitedError,
    SignInRequiredError,
    UnsupportedProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exceptions import GatewayError
    from .models import Timing

MINUTE: Final = 60.0
MAX_RETRY_AFTER: Final = 3600.0
MAX_DOUBLINGS: Final = 16
# Seconds; as long as v4 locks a device out.
SCOPE_MISMATCH_DELAY: Final = 300.0


class PauseReason(StrEnum):
    """Reason for a pause; retrying cannot help."""

    TOKEN = "token"  # noqa: S105 - the name of a reason
    APPROVAL = "approval"
    SCOPES = "scopes"
    DEVICE = "device"
    RATE_LIMIT = "rate_limit"
    PROTOCOL = "protocol"
    CERTIFICATE = "certificate"
    TRANSPORT = "transport"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Pause after an error, with recheck delay."""

    reason: PauseReason
    recheck: float | None


# No recheck with a wrong token: repeated attempts lock the device out. A device may
# get approved, a clock set, a Gateway updated, a certificate renewed, a proxy
# configured.
_RULES: Final = (
    (InvalidTokenError, _Rule(PauseReason.TOKEN, None)),
    (PairingRequiredError, _Rule(PauseReason.APPROVAL, 30.0)),
    (MissingScopeError, _Rule(PauseReason.SCOPES, None)),
    (RateLimitedError, _Rule(PauseReason.RATE_LIMIT, 60.0)),
    (GatewayAuthenticationError, _Rule(PauseReason.DEVICE, 300.0)),
    (UnsupportedProtocolError, _Rule(PauseReason.PROTOCOL, 300.0)),
    (CertificateError, _Rule(PauseReason.CERTIFICATE, 300.0)),
    (InsecureTransportError, _Rule(PauseReason.TRANSPORT, None)),
    (ProxyRefusedError, _Rule(PauseReason.PROXY, 300.0)),
    (SignInRequiredError, _Rule(PauseReason.PROXY, 300.0)),
)


def pause_reason(error: GatewayError) -> PauseReason | None:
    """Return the pause after an error, if any."""
    rule = _rule(error)
    return rule.reason if rule else None


def minimum_delay(error: GatewayError) -> float | None:
    """Return the minimum delay before a retry.

    In seconds; None if a retry cannot help.
    """
    # v4 counts it as a failed authentication: ten of them lock the device out.
    if error.code == SCOPE_MISMATCH:
        return SCOPE_MISMATCH_DELAY
    if error.retry_after is not None:
        # Honor the Gateway's `retryAfterMs`, but for an hour at most.
        return min(error.retry_after, MAX_RETRY_AFTER)
    rule = _rule(error)
    return rule.recheck if rule else 0.0


def jitter_bound(timing: Timing, attempt: int) -> float:
    """Return the maximum delay after the nth failure.

    In seconds; `attempt` counts from 0.
    """
    doublings = min(attempt, MAX_DOUBLINGS)
    return min(timing.max_delay, timing.initial_delay * 2.0**doublings)


def rate_limit_delay(attempts: deque[float], now: float) -> float:
    """Return the delay required by the rate limit.

    In seconds. `attempts` holds the last ones, as many as a minute may have.
    """
    if len(attempts) != attempts.maxlen:
        return 0.0
    return attempts[0] + MINUTE - now


class Backoff:
    """Exponential backoff with full jitter.

    The nth delay in a row is uniform between 0 and `jitter_bound`, never below the
    Gateway's `retryAfterMs`, and never more than `max_attempts` a minute.
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
        self._attempts: deque[float] = deque(maxlen=timing.max_attempts - 1)

    def reset(self) -> None:
        """Start over after a stable connection."""
        self._attempt = 0

    def undo(self) -> None:
        """Undo the last delay, which was cut short."""
        self._attempt -= 1
        self._attempts.pop()

    def delay(self, minimum: float) -> float:
        """Return the seconds until the next attempt."""
        now = self._clock()
        jittered = jitter_bound(self._timing, self._attempt) * self._jitter()
        delay = max(minimum, jittered, rate_limit_delay(self._attempts, now))
        self._attempt += 1
        self._attempts.append(now + delay)
        return delay


def _rule(error: GatewayError) -> _Rule | None:
    return next((rule for kind, rule in _RULES if isinstance(error, kind)), None)
