"""When to connect again."""

from collections import deque
import random
import time
from typing import TYPE_CHECKING, Final

from .exceptions import (
    GatewayAuthenticationError,
    PairingRequiredError,
    RateLimitedError,
    UnsupportedProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exceptions import GatewayError
    from .models import Timing

MINUTE: Final = 60.0
RATE_LIMIT_DELAY: Final = 60.0

# A device may be approved, a Gateway may be updated.
_RECHECKS: Final = ((PairingRequiredError, 30.0), (UnsupportedProtocolError, 300.0))


def needs_user(error: GatewayError) -> bool:
    """Return whether no retry helps until a person has done something."""
    return isinstance(
        error, GatewayAuthenticationError | UnsupportedProtocolError
    ) and not isinstance(error, RateLimitedError)


def recheck_delay(error: GatewayError) -> float | None:
    """Return the seconds until an error of `needs_user` may be over by itself.

    None means never: a wrong token tried again and again locks the device out.
    """
    return next((s for kind, s in _RECHECKS if isinstance(error, kind)), None)


class Backoff:
    """Exponential backoff with full jitter.

    The nth delay in a row is uniform between 0 and `first * 2**n`, at most
    `longest`; but never shorter than the Gateway asked for, and never so short
    that there would be more than `most` attempts in a minute.
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

    def delay(self, error: GatewayError) -> float:
        """Return the seconds to wait after `error`, until the next attempt."""
        timing, now = self._timing, self._clock()
        bound = min(timing.longest_delay, timing.first_delay * 2.0**self._attempt)
        self._attempt = min(self._attempt + 1, 16)
        delay = max(_least_delay(error), bound * self._jitter(), self._wait_turn(now))
        self._retries.append(now + delay)
        return delay

    def _wait_turn(self, now: float) -> float:
        if len(self._retries) < self._timing.most_attempts - 1:
            return 0.0
        return self._retries[0] + MINUTE - now


def _least_delay(error: GatewayError) -> float:
    if error.retry_after is not None:
        return error.retry_after
    return RATE_LIMIT_DELAY if isinstance(error, RateLimitedError) else 0.0
