"""Response times of a Gateway."""

from collections.abc import Iterator
from itertools import chain, cycle, repeat
from typing import Any

import pytest

from custom_components.clawd.selftest.checks import requests
from tests.simulator import GatewaySimulator

from .fault_harness import FaultHarness
from .self_test import run_self_test


def clock(seconds: Iterator[float]) -> Iterator[float]:
    """Yield the times before and after each round trip."""
    now = 0.0
    for duration in seconds:
        yield now
        now += duration
        yield now


@pytest.fixture(params=[3, 4])
def protocol(request: pytest.FixtureRequest) -> int:
    """Return each protocol version."""
    return int(request.param)


async def check(harness: FaultHarness, seconds: Iterator[float]) -> dict[str, Any]:
    """Run the check on a Gateway with these response times."""
    times = clock(seconds)
    harness.monkeypatch.setattr(requests, "perf_counter", lambda: next(times))
    report = await run_self_test(harness.hass, checks=["round_trip"])
    harness.monkeypatch.undo()
    [result] = report["checks"]
    return dict(result)


async def test_one_late_response_is_no_slow_gateway(
    harness: FaultHarness, gateway: GatewaySimulator
) -> None:
    late = chain((0.07, 1.7), repeat(0.07))

    result = await check(harness, late)

    assert (result["status"], result["observed_value"]) == ("pass", 70)
    assert len(gateway.received("health")) == requests.MAX_ROUND_TRIPS


async def test_a_quick_gateway_is_asked_no_more_often(
    harness: FaultHarness, gateway: GatewaySimulator
) -> None:
    result = await check(harness, repeat(0.07))

    assert result["status"] == "pass"
    assert len(gateway.received("health")) == requests.ROUND_TRIPS


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [([1.7], 3), ([0.07, 1.7], 6), ([0.07, 1.2, 0.07, 0.07, 0.07, 0.07], 20)],
)
async def test_a_gateway_that_is_late_again_is_slow(
    harness: FaultHarness,
    gateway: GatewaySimulator,
    seconds: list[float],
    asked: int,
) -> None:
    result = await check(harness, cycle(seconds))

    assert result["status"] == "warn"
    assert result["observed_value"] > 1000
    assert len(gateway.received("health")) == asked
