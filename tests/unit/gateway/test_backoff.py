"""Reconnect delays and pauses."""

from collections.abc import Callable

from hypothesis import given, strategies as st
import pytest

from custom_components.clawd.gateway import (
    CannotConnectError,
    CertificateError,
    ConnectionLostError,
    GatewayAuthenticationError,
    GatewayError,
    InsecureTransportError,
    InvalidTokenError,
    MissingScopeError,
    NotAGatewayError,
    PairingRequiredError,
    PauseReason,
    RateLimitedError,
    RequestFailedError,
    Timing,
    UnsupportedProtocolError,
)
from custom_components.clawd.gateway.backoff import (
    MAX_RETRY_AFTER,
    MINUTE,
    Backoff,
    minimum_delay,
    pause_reason,
)


def backoff_of(initial: float, maximum: float, jitter: Callable[[], float]) -> Backoff:
    """Return a backoff without attempt limit."""
    timing = Timing(initial_delay=initial, max_delay=maximum, max_attempts=100_000)
    return Backoff(timing, jitter)


@pytest.mark.parametrize(
    ("error", "pause", "recheck"),
    [
        (InvalidTokenError("x"), PauseReason.TOKEN, None),
        (
            PairingRequiredError("x", code="c", request_id=None),
            PauseReason.APPROVAL,
            30,
        ),
        (MissingScopeError("x", code="c", scopes=()), PauseReason.SCOPES, None),
        (RateLimitedError("x"), PauseReason.RATE_LIMIT, 60),
        (GatewayAuthenticationError("x"), PauseReason.DEVICE, 300),
        (UnsupportedProtocolError("x"), PauseReason.PROTOCOL, 300),
        (CertificateError("x"), PauseReason.CERTIFICATE, 300),
        (InsecureTransportError(), PauseReason.TRANSPORT, None),
    ],
)
def test_pause_reason_and_minimum_delay(
    error: GatewayError, pause: PauseReason, recheck: float | None
) -> None:
    assert (pause_reason(error), minimum_delay(error)) == (pause, recheck)


@pytest.mark.parametrize(
    "error",
    [
        CannotConnectError("x"),
        ConnectionLostError("x"),
        NotAGatewayError("x"),
        RequestFailedError("x", code="UNAVAILABLE"),
    ],
)
def test_transient_errors_are_retried(error: GatewayError) -> None:
    assert (pause_reason(error), minimum_delay(error)) == (None, 0)


@pytest.mark.parametrize("kind", [ConnectionLostError, RateLimitedError])
def test_retry_after_is_obeyed_up_to_limit(
    kind: type[ConnectionLostError | RateLimitedError],
) -> None:
    assert minimum_delay(kind("x", retry_after=45)) == 45
    assert minimum_delay(kind("x", retry_after=0)) == 0
    assert minimum_delay(kind("x", retry_after=1e9)) == MAX_RETRY_AFTER


@given(
    initial=st.floats(0.001, 10),
    maximum=st.floats(0.001, 100),
    jitter=st.lists(st.floats(0, 1), min_size=1, max_size=40),
)
def test_delay_is_within_exponential_bound(
    initial: float, maximum: float, jitter: list[float]
) -> None:
    backoff = backoff_of(initial, maximum, iter(jitter).__next__)
    for attempt, fraction in enumerate(jitter):
        delay = backoff.delay(0)
        assert delay == pytest.approx(min(maximum, initial * 2**attempt) * fraction)


def test_delay_without_jitter_doubles_up_to_maximum() -> None:
    backoff = backoff_of(0.25, 30, lambda: 1)
    delays = [backoff.delay(0) for _ in range(9)]
    assert delays == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_delay_stays_at_maximum() -> None:
    backoff = backoff_of(0.25, 30, lambda: 1)
    assert {backoff.delay(0) for _ in range(5000)} >= {30}
    assert backoff.delay(0) == 30


def test_reset_restarts_schedule() -> None:
    backoff = backoff_of(1, 30, lambda: 1)
    assert [backoff.delay(0), backoff.delay(0)] == [1, 2]
    backoff.reset()
    assert backoff.delay(0) == 1


def test_undone_delay_does_not_count() -> None:
    backoff = backoff_of(1, 30, lambda: 1)
    assert backoff.delay(0) == 1
    for _ in range(40):
        assert backoff.delay(0) == 2
        backoff.undo()


def test_delays_are_jittered() -> None:
    delays = {Backoff(Timing(initial_delay=10)).delay(0) for _ in range(20)}
    assert len(delays) > 1
    assert all(0 <= delay <= 10 for delay in delays)


def test_delay_is_at_least_minimum() -> None:
    backoff = backoff_of(0.25, 30, lambda: 0)
    assert backoff.delay(45) == 45


def test_zero_minimum_still_backs_off() -> None:
    backoff = backoff_of(0.25, 30, lambda: 1)
    assert [backoff.delay(0) for _ in range(4)] == [0.25, 0.5, 1, 2]


@given(
    jitter=st.lists(st.floats(0, 1), min_size=40, max_size=40),
    lifetimes=st.lists(st.floats(0, 40), min_size=40, max_size=40),
    stable=st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_at_most_ten_attempts_per_minute(
    jitter: list[float], lifetimes: list[float], stable: list[bool]
) -> None:
    now = 0.0
    backoff = Backoff(Timing(), iter(jitter).__next__, lambda: now)
    attempts = [now]
    for lifetime, is_stable in zip(lifetimes, stable, strict=True):
        now += lifetime
        if is_stable:
            backoff.reset()
        now += backoff.delay(0)
        attempts.append(now)
    for first, eleventh in zip(attempts, attempts[10:], strict=False):
        assert eleventh - first >= MINUTE - 1e-6
