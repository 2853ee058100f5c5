"""A figure: what is measured, its goal, its samples."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .stage import Stage


class Sample(NamedTuple):
    """One measurement beside that of the floor, taken right before it."""

    floor: float
    ours: float

    @property
    def ratio(self) -> float:
        """Return ours as a multiple of the floor."""
        return self.ours / self.floor


@dataclass(frozen=True, slots=True)
class Figure:
    """Something to measure; the goal is a ratio, or an amount if `absolute`."""

    name: str
    title: str
    unit: str
    goal: float
    repeat: int
    sample: Callable[[Stage], AsyncGenerator[Sample]]
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A figure with its samples."""

    figure: Figure
    samples: list[Sample]

    @property
    def floor(self) -> float:
        """Return the median of the floor."""
        return median(sample.floor for sample in self.samples)

    @property
    def ours(self) -> float:
        """Return the median of ours."""
        return median(sample.ours for sample in self.samples)

    @property
    def ratio(self) -> float | None:
        """Return the median of the ratios, unless the figure is an amount."""
        if self.figure.absolute:
            return None
        return median(sample.ratio for sample in self.samples)

    @property
    def met(self) -> bool:
        """Return whether the goal is met."""
        return (self.ours if self.ratio is None else self.ratio) <= self.figure.goal

    def as_dict(self) -> dict[str, Any]:
        """Return everything that is known of the figure."""
        return {
            "name": self.figure.name,
            "title": self.figure.title,
            "unit": self.figure.unit,
            "floor": self.floor,
            "ours": self.ours,
            "ratio": self.ratio,
            "goal": self.figure.goal,
            "goal_is": "amount" if self.figure.absolute else "ratio",
            "met": self.met,
            "samples": [sample._asdict() for sample in self.samples],
        }
