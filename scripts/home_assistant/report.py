"""Report of a self-test as a table."""

from collections.abc import Iterator
from typing import Any

from .console import Color, Console

COLORS = {
    "pass": Color.GOOD,
    "warn": Color.DOUBTFUL,
    "skip": Color.FAINT,
    "fail": Color.BAD,
    "error": Color.BAD,
}
HEADERS = ("status", "check", "component", "observed", "expected", "ms")


def print_report(console: Console, report: dict[str, Any]) -> None:
    """Print the checks, then the suspects and the failures' details."""
    checks = report["checks"]
    rows = [HEADERS, *(_row(check) for check in checks)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    console.line(console.paint(_aligned(HEADERS, widths), Color.FAINT))
    for check, row in zip(checks, rows[1:], strict=True):
        console.line(_painted(console, check["status"], _aligned(row, widths)))
        for remark in _remarks(check):
            console.line(f"    {remark}")
    for sentence in report.get("suspects", ()):
        console.line(console.paint(sentence, Color.DOUBTFUL))


def summary(report: dict[str, Any]) -> str:
    """Return a summary such as `pass: 10 pass, 1 skip`."""
    counts = ", ".join(f"{n} {status}" for status, n in report["summary"].items() if n)
    return f"{report['status']}: {counts}"


def passed(report: dict[str, Any]) -> bool:
    """Return whether no check failed or raised."""
    return report["status"] not in {"fail", "error"}


def _row(check: dict[str, Any]) -> tuple[str, ...]:
    observed = f"{_text(check['observed_value'])} {_text(check['observed_unit'])}"
    return (
        check["status"],
        check["id"],
        check["component"],
        observed.strip(),
        _text(check["expected"]),
        f"{check['duration_ms']:.0f}",
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    *texts, last = zip(row, widths, strict=True)
    cells = [f"{text:<{width}}" for text, width in texts]
    return "  ".join(["", *cells, f"{last[0]:>{last[1]}}"])


def _painted(console: Console, status: str, line: str) -> str:
    return line.replace(status, console.paint(status, COLORS[status]), 1)


def _remarks(check: dict[str, Any]) -> Iterator[str]:
    if check["status"] != "pass":
        yield from (text for text in (check["message"], check["hint"]) if text)
