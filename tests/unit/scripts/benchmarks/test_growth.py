"""What a soak calls flat."""

import pytest

from scripts.benchmarks.growth import ALLOWED, Holding, growths

HELD = Holding(
    tasks=5, files=13, listeners=1, pending=0, runs=0, blocks=400_000, rss=100_000
)


def not_flat(*holdings: Holding) -> list[str]:
    return [growth.name for growth in growths(holdings) if not growth.flat]


def test_what_stays_is_flat() -> None:
    assert not_flat(HELD, HELD) == []


@pytest.mark.parametrize("name", Holding._fields)
def test_more_than_is_allowed_is_growth(name: str) -> None:
    allowed = getattr(HELD, name) + getattr(ALLOWED, name)
    assert not_flat(HELD, HELD._replace(**{name: allowed})) == []
    assert not_flat(HELD, HELD._replace(**{name: allowed + 1})) == [name]


@pytest.mark.parametrize("name", ["pending", "runs"])
def test_what_should_have_ended_is_not_flat(name: str) -> None:
    held = HELD._replace(**{name: 1})
    assert not_flat(held, held) == [name]


def test_what_came_and_went_is_flat() -> None:
    growth, *_ = growths([HELD, HELD._replace(tasks=50), HELD])
    assert growth.flat
    assert (growth.first, growth.most, growth.last) == (5, 50, 5)
