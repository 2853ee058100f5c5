"""Benchmarks and their results."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from .harness import Harness


class Sample(NamedTuple):
    """Consecutive measurements of baseline and client."""

    baseline: float
    client: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark; its goal is a ratio unless `absolute`.

    Attributes:
        note: how it is measured, for who reads the result.

    """

    name: str
    title: str
    unit: str
    goal: float
    repeat: int
    sample: Callable[[Harness], AsyncGenerator[Sample]]
    absolute: bool = False
    note: str = ""

    async def run(self, harness: Harness, repeat: int) -> Result:
        """Take samples after one warm-up."""
        async with aclosing(self.sample(harness)) as samples:
            await anext(samples)
            return Result(self, [await anext(samples) for _ in range(repeat)])


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of the samples of a benchmark."""

    benchmark: Benchmark
    samples: list[Sample]

    @property
    def baseline(self) -> float:
        """Return the median of the baseline."""
        return median(sample.baseline for sample in self.samples)

    @property
    def client(self) -> float:
        """Return the median of the client."""
        return median(sample.client for sample in self.samples)

    @property
    def ratio(self) -> float | None:
        """Return the median ratio, None for an amount."""
        if self.benchmark.absolute:
            return None
        return median(sample.client / sample.baseline for sample in self.samples)

    @property
    def met(self) -> bool:
        """Return whether the goal is met."""
        value = self.client if self.ratio is None else self.ratio
        return value <= self.benchmark.goal
