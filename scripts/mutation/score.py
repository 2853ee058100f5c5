"""The score of a package and its surviving mutants, in Markdown."""

from collections import Counter
import json
from math import sqrt
from typing import Final

Z: Final = 1.96
"""The quantile of the normal distribution for 95 %."""


def report(package: str, lines: list[str], total: int) -> str:
    """Return what became of the mutants tried, of all there are."""
    verdicts = {x["name"]: x["kind"] for x in map(json.loads, lines)}
    kinds = Counter(verdicts.values())
    killed, tried = kinds["killed"], len(verdicts) - kinds["broke"]
    if not tried:
        return f"## {package}/\n\nNo mutant of {total} was tried yet."
    low, high = interval(killed, tried)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    alive = sorted(x for x, kind in verdicts.items() if kind not in ("killed", "broke"))
    head = (
        f"## {package}/\n\n**{killed / tried:.1%} of {tried} mutants killed** "
        f"(95 % interval for all {total}: {low:.1%} to {high:.1%}): {counts}.\n\n"
    )
    return head + "\n".join(f"- {x.removeprefix(package + '/')}" for x in alive)


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return the interval of Wilson at 95 % for a share."""
    share, spread = killed / tried, Z * Z / tried
    middle = share + spread / 2
    half = Z * sqrt((share * (1 - share) + spread / 4) / tried)
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)
