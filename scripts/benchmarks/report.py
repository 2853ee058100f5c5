"""What was measured, as a table and as a document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
import os
import platform
from typing import Any

import orjson

from scripts.home_assistant.console import Colour, Console

from .figure import Result

HEADERS = ("figure", "what", "unit", "floor", "ours", "ratio", "goal", "")

type Row = tuple[str, ...]


def document(results: Sequence[Result]) -> bytes:
    """Return everything that was measured, and on what, as JSON."""
    content: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": {
            "python": platform.python_version(),
            "websockets": version("websockets"),
            "orjson": version("orjson"),
        },
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
        },
        "figures": [result.as_dict() for result in results],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def rows(results: Sequence[Result]) -> list[Row]:
    """Return the table's rows."""
    return [
        (
            result.figure.name,
            result.figure.title,
            result.figure.unit,
            _number(result.floor),
            _number(result.ours),
            _number(result.ratio),
            f"≤ {result.figure.goal:g}",
            "met" if result.met else "missed",
        )
        for result in results
    ]


def print_table(console: Console, headers: Row, lines: Sequence[Row]) -> None:
    """Print rows in columns; the last one says whether all is well."""
    table = [headers, *lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for index, row in enumerate(table):
        cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
        colour = Colour.GOOD if row[-1] in {"met", "flat"} else Colour.BAD
        console.line(
            console.paint("  ".join(cells).rstrip(), colour if index else Colour.FAINT)
        )


def markdown(results: Sequence[Result]) -> str:
    """Return a page with the table, its date and machine."""
    table = [HEADERS, ("---",) * len(HEADERS), *rows(results)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    facts = (
        f"`scripts/bench --markdown`, on {datetime.now(UTC):%Y-%m-%d} with Python "
        f"{platform.python_version()} and websockets {version('websockets')} "
        f"on {os.cpu_count()} cores, {platform.machine()}."
    )
    return "\n".join(["# Benchmarks", "", facts, "", *lines, ""])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
