"""Measuring one figure after the other."""

from collections.abc import Sequence
from contextlib import aclosing

from scripts.home_assistant.console import Console

from .figure import Figure, Result
from .stage import Stage

ADVICE = "run `scripts/bench NAME` alone; with a smaller --repeat if it took too long"


async def measure(figure: Figure, on: Stage, repeat: int) -> Result:
    """Sample a figure; the first sample warms up and does not count."""
    samples = []
    async with aclosing(figure.sample(on)) as source:
        await anext(source)
        async for sample in source:
            samples.append(sample)
            if len(samples) == repeat:
                break
    return Result(figure, samples)


async def measure_all(
    figures: Sequence[Figure], on: Stage, repeat: int | None, progress: Console
) -> list[Result]:
    """Measure figures, `repeat` samples each or as many as the figure says.

    Raises:
        StepError: a figure cannot be measured.

    """
    results = []
    for figure in figures:
        samples = repeat or figure.repeat
        async with progress.step(figure.name, ADVICE) as step:
            results.append(await measure(figure, on, samples))
            step.detail = f"{samples} samples of {figure.title}"
    return results
