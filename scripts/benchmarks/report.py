"""Results as a table or as JSON."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
import os
import platform

import orjson

from scripts.home_assistant.console import Color, Console

from .benchmark import Result

HEADERS = ("benchmark", "measures", "unit", "baseline", "client", "ratio", "goal", "")

type Row = tuple[str, ...]


def rows(results: Sequence[Result]) -> list[Row]:
    """Return the rows, each with its verdict last."""
    return [
        (
            result.benchmark.name,
            result.benchmark.title,
            result.benchmark.unit,
            f"{result.baseline:.3g}",
            f"{result.client:.3g}",
            "" if result.ratio is None else f"{result.ratio:.3g}",
            f"≤ {result.benchmark.goal:g}",
            "met" if result.met else "missed",
        )
        for result in results
    ]


def print_table(console: Console, headers: Row, lines: Sequence[Row]) -> None:
    """Print rows in columns, colored by the verdict."""
    table = [headers, *lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for index, row in enumerate(table):
        cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
        color = Color.GOOD if row[-1] in {"met", "flat"} else Color.BAD
        text = "  ".join(cells).rstrip()
        console.line(console.paint(text, color if index else Color.FAINT))


def markdown(results: Sequence[Result]) -> str:
    """Return the page `docs/benchmarks.md`."""
    table = [HEADERS, ("---",) * len(HEADERS), *rows(results)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    intro = f"`scripts/bench --markdown`, on {_circumstances()}."
    notes = [
        f"- {result.benchmark.name}: {result.benchmark.note}"
        for result in results
        if result.benchmark.note
    ]
    blocks = [["# Benchmarks"], [intro], lines, notes]
    return "\n".join(line for block in blocks if block for line in (*block, ""))


def as_json(results: Sequence[Result]) -> bytes:
    """Return all samples as JSON."""
    content = {
        "measured": _circumstances(),
        "benchmarks": {
            result.benchmark.name: {
                "ratio": result.ratio,
                "goal": result.benchmark.goal,
                "met": result.met,
                "samples": [sample._asdict() for sample in result.samples],
            }
            for result in results
        },
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _circumstances() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} and "
        f"websockets {version('websockets')} on {os.cpu_count()} cores, "
        f"{platform.machine()}"
    )
