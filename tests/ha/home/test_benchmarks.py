"""Benchmarks of the home, with few entities."""

from types import SimpleNamespace
from typing import Any

import pytest

from scripts.benchmarks.benchmark import Benchmark
from scripts.benchmarks.harness import Counts
from scripts.benchmarks.home import BENCHMARKS


@pytest.mark.parametrize("benchmark_", BENCHMARKS, ids=lambda one: one.name)
async def test_every_benchmark_of_the_home_runs(benchmark_: Benchmark) -> None:
    harness: Any = SimpleNamespace(counts=Counts(entities=8))

    result = await benchmark_.run(harness, 1)

    assert len(result.samples) == 1
