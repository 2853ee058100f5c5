"""Growth of the resources in a soak test."""

import io

import pytest

from scripts.benchmarks.resources import ALLOWED, Resources, growths
from scripts.benchmarks.soak import soak
from scripts.home_assistant.console import Console

RESOURCES = Resources(
    tasks=5, files=13, listeners=1, pending=0, runs=0, blocks=400_000, rss=100_000
)


def grown(*rounds: Resources) -> list[str]:
    return [growth.name for growth in growths(rounds) if not growth.flat]


@pytest.mark.parametrize("name", Resources._fields)
def test_more_than_is_allowed_is_growth(name: str) -> None:
    allowed = getattr(RESOURCES, name) + getattr(ALLOWED, name)
    assert grown(RESOURCES, RESOURCES._replace(**{name: allowed})) == []
    assert grown(RESOURCES, RESOURCES._replace(**{name: allowed + 1})) == [name]


@pytest.mark.parametrize("name", ["pending", "runs"])
def test_a_request_or_run_that_stays_is_growth(name: str) -> None:
    left = RESOURCES._replace(**{name: 1})
    assert grown(left, left) == [name]


def test_a_peak_in_between_is_no_growth() -> None:
    growth, *_ = growths([RESOURCES, RESOURCES._replace(tasks=50), RESOURCES])
    assert growth.flat
    assert (growth.first, growth.most, growth.last) == (5, 50, 5)


@pytest.mark.parametrize("protocol", [3, 4])
async def test_a_short_soak_is_flat(protocol: int) -> None:
    stream = io.StringIO()
    console = Console(stream)
    assert not await soak(
        console, requests=100, runs=50, reconnects=5, protocol=protocol
    )
    lines = [line.strip() for line in stream.getvalue().splitlines()]
    assert {"100 requests", "50 runs", "5 reconnects"} <= set(lines)
