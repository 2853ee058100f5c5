"""Backoff checks of the self-test."""

from dataclasses import replace

import pytest

from custom_components.clawd.gateway import (
    Cause,
    ConnectionState,
    GatewayError,
    PauseReason,
)
from custom_components.clawd.gateway.state import Transition
from custom_components.clawd.selftest.checks.backoff import (
    check_backoff_pause,
    check_backoff_schedule,
)
from custom_components.clawd.selftest.model import Check, CheckResult

from .check_results import introspection, result_of


def _change(
    cause: Cause,
    at: float = 0,
    *,
    delay: float | None = None,
    pause: PauseReason | None = None,
    retry_after: float | None = None,
) -> Transition:
    states = ConnectionState.CONNECTED, ConnectionState.RECONNECTING
    error = GatewayError("injected", retry_after=retry_after)
    # The wall's clock may have been set back meanwhile.
    return Transition(
        -3600 * at,
        *states,
        cause,
        error if retry_after else None,
        pause,
        delay,
        monotonic_at=at,
    )


def _attempts(count: int) -> list[Transition]:
    return [_change(Cause.RETRY, second) for second in range(count)]


async def _schedule(*changes: Transition) -> CheckResult:
    return await _result_of(check_backoff_schedule, *changes)


async def _result_of(check: Check, *changes: Transition) -> CheckResult:
    return await result_of(check, introspection=introspection(transitions=changes))


@pytest.mark.parametrize("cause", [Cause.FAILED, Cause.LOST])
@pytest.mark.parametrize(
    ("delay", "retry_after", "attempts", "details"),
    [
        (30.0, None, 0, ()),
        (30.1, None, 0, ("a delay of 30.1 s",)),
        (30.1, 30.1, 0, ()),
        (30.1, 20.0, 0, ("a delay of 30.1 s",)),
        (30.0, 20.0, 0, ()),
        (60.0, None, 10, ()),
        (60.0, None, 9, ("a delay of 60 s",)),
        (60.1, None, 10, ("a delay of 60.1 s",)),
    ],
)
async def test_delay_limits(
    cause: Cause,
    delay: float,
    retry_after: float | None,
    attempts: int,
    details: tuple[str, ...],
) -> None:
    lost = _change(cause, delay=delay, retry_after=retry_after)

    result = await _schedule(*_attempts(attempts), lost)

    assert result.status == ("fail" if details else "pass")
    assert result.details == details


async def test_longest_excessive_delay_is_reported() -> None:
    delays = (31.0, 0.1234567, 50.0)

    result = await _schedule(*(_change(Cause.LOST, delay=d) for d in delays))

    assert result.details == ("a delay of 50 s",)
    assert result.observed == [31.0, 0.123, 50.0]


@pytest.mark.parametrize(("count", "status"), [(10, "pass"), (11, "fail")])
async def test_attempts_per_minute_are_limited(count: int, status: str) -> None:
    started = _change(Cause.STARTED, 0)

    result = await _schedule(started, *_attempts(count - 1))

    assert result.status == status
    assert result.placeholders["attempts"] == count


async def test_each_client_has_its_own_limit() -> None:
    # Somebody reloads the entry because the connection fails again and again.
    before = [_change(Cause.RETRY, second) for second in range(7)]
    after = [_change(Cause.RETRY, second) for second in range(8, 15)]

    result = await _schedule(*before, _change(Cause.STARTED, 7), *after)

    assert result.status == "pass"
    assert result.placeholders["attempts"] == 8


@pytest.mark.parametrize(("count", "status"), [(10, "pass"), (11, "fail")])
async def test_a_reload_in_a_loop_is_found(count: int, status: str) -> None:
    result = await _schedule(*(_change(Cause.STARTED, at) for at in range(count)))

    assert result.status == status


async def test_resume_is_not_an_attempt() -> None:
    resumed = [_change(Cause.RESUMED, second) for second in range(20)]

    result = await _schedule(*resumed)

    assert result.placeholders == {"count": 0, "attempts": 0}


async def test_delays_from_retry_after_may_be_equal() -> None:
    changes = [_change(Cause.FAILED, delay=5, retry_after=5) for _ in range(5)]

    assert (await _schedule(*changes)).status == "pass"


async def test_only_retry_delays_are_checked() -> None:
    others = [_change(Cause.REFUSED, delay=5) for _ in range(5)]

    result = await _schedule(*others, _change(Cause.LOST), _change(Cause.LOST, delay=0))

    assert result.observed == [0]
    assert result.placeholders["count"] == 1


@pytest.mark.parametrize(
    ("pause", "retry_after", "seconds", "early"),
    [
        (PauseReason.TOKEN, None, 86_400, True),
        (PauseReason.SCOPES, None, 86_400, True),
        (PauseReason.TRANSPORT, None, 86_400, True),
        (PauseReason.APPROVAL, None, 29, False),
        (PauseReason.APPROVAL, None, 28.9, True),
        (PauseReason.RATE_LIMIT, 60, 59, False),
        (PauseReason.RATE_LIMIT, 60, 58.9, True),
        (PauseReason.RATE_LIMIT, 5, 4, False),
        (None, None, 0, False),
    ],
)
async def test_pause_must_not_end_early(
    pause: PauseReason | None, retry_after: float | None, seconds: float, *, early: bool
) -> None:
    paused = _change(Cause.REFUSED, 1_000, pause=pause, retry_after=retry_after)
    due = _change(Cause.RETRY, 1_000 + seconds)

    result = await _result_of(check_backoff_pause, paused, due)

    assert result.observed == int(early)
    assert result.status == ("fail" if early else "pass")
    assert bool(result.details) is early


async def test_pause_may_end_by_resume() -> None:
    paused = _change(Cause.REFUSED, pause=PauseReason.TOKEN)
    resumed = _change(Cause.RESUMED, 1)

    result = await _result_of(check_backoff_pause, paused, resumed)

    assert result.status == "pass"


async def test_a_clock_that_is_set_back_ends_no_pause_early() -> None:
    paused = _change(Cause.REFUSED, 10_000, pause=PauseReason.APPROVAL)
    due = _change(Cause.RETRY, 10_030)
    set_back = replace(due, at=due.at - 3_600)

    result = await _result_of(check_backoff_pause, paused, set_back)

    assert result.status == "pass"
    assert set_back.at < paused.at


async def test_early_end_reports_reason_and_duration() -> None:
    paused = _change(Cause.REFUSED, 10, pause=PauseReason.APPROVAL)
    due = _change(Cause.RETRY, 12.5)

    result = await _result_of(check_backoff_pause, paused, due)

    assert result.details == ("approval: 2.5 s",)
