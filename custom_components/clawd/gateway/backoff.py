"""When to connect again."""

import random
from typing import TYPE_CHECKING

from .exceptions import (
    GatewayAuthenticationError,
    RateLimitedError,
    UnsupportedProtocolError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exceptions import GatewayError

RATE_LIMIT_DELAY = 60.0


def needs_user(error: GatewayError) -> bool:
    """Return whether no retry helps until a person has done something."""
    return isinstance(
        error, GatewayAuthenticationError | UnsupportedProtocolError
    ) and not isinstance(error, RateLimitedError)


class Backoff:
    """Exponential backoff with full jitter.

    The nth delay in a row is uniform between 0 and `first * 2**n`, at most
    `longest`; but never shorter than the Gateway asked for.
    """

    def __init__(
        self, first: float, longest: float, jitter: Callable[[], float] = random.random
    ) -> None:
        """Start at the first delay; seconds."""
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self._attempt = 0

    def reset(self) -> None:
        """Start over: the link has been stable."""
        self._attempt = 0

    def delay(self, error: GatewayError) -> float:
        """Return the seconds to wait after `error`."""
        bound = min(self._longest, self._first * 2.0**self._attempt)
        self._attempt = min(self._attempt + 1, 16)
        return max(_least_delay(error), bound * self._jitter())


def _least_delay(error: GatewayError) -> float:
    if error.retry_after is not None:
        return error.retry_after
    return RATE_LIMIT_DELAY if isinstance(error, RateLimitedError) else 0.0
