"""Attempts of the clients before and after a reload of the entry."""

import pytest

from custom_components.clawd.gateway import Cause, Transition
from custom_components.clawd.selftest.checks.transport import check_backoff_schedule
from custom_components.clawd.selftest.model import CheckResult

from .check_results import introspection, result_of
from .test_backoff import _change


async def _schedule(*changes: Transition) -> CheckResult:
    given = introspection(transitions=changes)
    return await result_of(check_backoff_schedule, introspection=given)


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
