"""The command line of the benchmarks."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from .catalogue import FIGURES
from .figure import Figure

DESCRIPTION = (
    "Measure what the client costs. Each figure is a ratio to a floor of the same "
    "run, or an amount; its goal is from the project's plan."
)


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, and what to make of it."""

    figures: tuple[Figure, ...]
    repeat: int | None
    json: str | None
    markdown: bool
    check: bool


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """How much a soak does."""

    requests: int = 50_000
    runs: int = 5_000
    reconnects: int = 500
    protocol: int = 4


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; exit with an explanation if it makes no sense."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=DESCRIPTION)
    names = [figure.name for figure in FIGURES]
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"what to measure; default: everything. One of {', '.join(names)}; "
        "or `soak`, which has its own --help",
    )
    parser.add_argument("--json", metavar="FILE", help="write all samples; - is stdout")
    parser.add_argument(
        "--markdown", action="store_true", help="print the table as Markdown"
    )
    parser.add_argument("--repeat", type=_positive, metavar="N", help="samples each")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a goal is missed"
    )
    parsed = parser.parse_args(arguments)
    if unknown := set(parsed.names) - set(names):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    figures = tuple(f for f in FIGURES if not parsed.names or f.name in parsed.names)
    return Options(figures, parsed.repeat, parsed.json, parsed.markdown, parsed.check)


def parse_soak_options(arguments: Sequence[str]) -> SoakOptions:
    """Read the command line behind `soak`."""
    default = SoakOptions()
    parser = argparse.ArgumentParser(
        prog="scripts/bench soak",
        description="Let one client work; exit with 1 if anything grows or is wrong.",
    )
    parser.add_argument("--requests", type=_positive, default=default.requests)
    parser.add_argument("--runs", type=_positive, default=default.runs)
    parser.add_argument("--reconnects", type=_positive, default=default.reconnects)
    parser.add_argument(
        "--protocol", type=int, choices=(3, 4), default=default.protocol
    )
    return SoakOptions(**vars(parser.parse_args(arguments)))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
