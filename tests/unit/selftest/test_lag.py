"""Times that a late event loop has spoiled."""

from types import SimpleNamespace
from typing import Any

import pytest

from custom_components.clawd.selftest.checks import requests
from custom_components.clawd.selftest.model import milliseconds

from .check_results import result_of


class LateSystem:
    """System commands of a Gateway, and a watch over a loop that is late."""

    def __init__(
        self, times: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Let each request take its time, of which the loop was late for a part."""
        self._times = iter(times)
        self._now = self._lag = 0.0
        monkeypatch.setattr(requests, "perf_counter", lambda: self._now)

    async def health(self, _: float) -> None:
        """Let time pass."""
        seconds, self._lag = next(self._times)
        self._now += seconds

    def now(self) -> float:
        """Return the time."""
        return self._now

    def lag_since(self, _: float) -> float:
        """Return the lag in the last request."""
        return self._lag


@pytest.mark.parametrize(
    ("times", "status", "reason"),
    [
        ([(0.1, 0.0)] * 5, "pass", None),
        ([(0.1, 0.0)] * 3 + [(2.0, 1.9)] * 3, "skip", "loop_late"),
        ([(2.0, 0.06)] * 5, "warn", None),
        ([(5.5, 5.0)], "skip", "loop_late"),
        ([(6.0, 0.06)], "fail", None),
        ([(6.0, 2.0)], "warn", None),
    ],
    ids=["fast", "late once", "slow", "late", "too slow", "slow and late"],
)
async def test_the_lag_of_the_event_loop_is_not_the_gateways(
    times: list[tuple[float, float]],
    status: str,
    reason: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system: Any = LateSystem(times, monkeypatch)

    result = await result_of(requests.check_round_trip, watch=system, system=system)

    assert (result.status, result.reason) == (status, reason)
    if reason:
        assert result.placeholders == {"lag": milliseconds(max(t[1] for t in times))}


async def test_without_a_watch_no_lag_is_seen() -> None:
    async def health(_: float) -> None:
        """Answer at once."""

    system = SimpleNamespace(health=health)

    result = await result_of(requests.check_round_trip, system=system)

    assert result.status == "pass"
