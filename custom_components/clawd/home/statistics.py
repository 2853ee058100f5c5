"""Counters of calls of the home's tools."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class HomeStatistics:
    """Statistics of an entry's tool calls.

    Attributes:
        outcomes: how calls ended, by outcome.
        exceptions: unexpected errors of tools, by type.
        confirmed: sensitive calls carried out after a confirmation.

    """

    outcomes: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    confirmed: int = 0
