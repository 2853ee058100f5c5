"""Command line of the benchmarks."""

import argparse
import asyncio
from collections.abc import Collection, Sequence
import logging
from pathlib import Path
import sys

from scripts.home_assistant.console import Console, StepError
from scripts.home_assistant.processes import until_signalled

from . import connections, first_delta, generate_data, home, node, streams
from .benchmark import Result
from .harness import CountingSelector, Counts, Harness, open_harness
from .report import HEADERS, as_json, markdown, print_table, rows
from .self_tests import KINDS, run_self_tests
from .soak import soak

BENCHMARKS = (
    *streams.BENCHMARKS,
    *connections.BENCHMARKS,
    *node.BENCHMARKS,
    *home.BENCHMARKS,
    *first_delta.BENCHMARKS,
    *generate_data.BENCHMARKS,
)
ADVICE = "run `scripts/bench NAME` alone; with a smaller --repeat if it took too long"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line of `scripts/bench`."""
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Compare the client with a baseline of the same run.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=names,
        default=names,
        metavar="NAME",
        help=f"{', '.join(names)}; default: all. `soak` and `self-tests` have their "
        "own --help.",
    )
    parser.add_argument("--json", metavar="FILE", help="write all samples; - is stdout")
    parser.add_argument(
        "--markdown", action="store_true", help="print the table as Markdown"
    )
    parser.add_argument("--repeat", type=_positive, metavar="N", help="samples each")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 if a goal is missed"
    )
    return parser.parse_args(arguments)


def parse_soak_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line of `scripts/bench soak`."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench soak",
        description="Let one client work; exit with 1 if anything grows or is wrong.",
    )
    parser.add_argument("--requests", type=_positive, default=50_000)
    parser.add_argument("--runs", type=_positive, default=5_000)
    parser.add_argument("--reconnects", type=_positive, default=500)
    parser.add_argument("--protocol", type=int, choices=(3, 4), default=4)
    return parser.parse_args(arguments)


def parse_self_test_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line of `scripts/bench self-tests`."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench self-tests",
        description="Test healthy Gateways in Home Assistant, with questions in "
        "between; exit with 1 after a false alarm or a lost reply.",
    )
    parser.add_argument("--tests", type=_positive, default=56, help="for each Gateway")
    parser.add_argument("--drills", type=_positive, default=10, help="for each Gateway")
    parser.add_argument(
        "--gateways",
        nargs="+",
        choices=KINDS,
        default=KINDS,
        metavar="NAME",
        help=f"{', '.join(KINDS)}; default: all",
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


async def measure(
    names: Collection[str], repeat: int | None, harness: Harness, console: Console
) -> list[Result]:
    """Run benchmarks one after the other.

    Raises:
        StepError: a benchmark failed or took too long.

    """
    results = []
    for benchmark in BENCHMARKS:
        if benchmark.name in names:
            samples = repeat or benchmark.repeat
            async with console.step(benchmark.name, ADVICE) as step:
                results.append(await benchmark.run(harness, samples))
                step.detail = f"{samples} samples of {benchmark.title}"
    return results


async def bench(options: argparse.Namespace, selector: CountingSelector) -> int:
    """Measure and print; return the exit status."""
    console = Console(sys.stderr)
    try:
        async with open_harness(Counts(), selector) as harness:
            results = await measure(options.names, options.repeat, harness, console)
    except StepError as err:
        console.line(str(err))
        return 1
    _show(results, options)
    return int(options.check and not all(result.met for result in results))


def _show(results: Sequence[Result], options: argparse.Namespace) -> None:
    stream = sys.stdout
    if options.json == "-":
        stream.write(as_json(results).decode())
        stream = sys.stderr
    elif options.json:
        Path(options.json).write_bytes(as_json(results))
    if options.markdown:
        stream.write(markdown(results))
    else:
        print_table(Console(stream), HEADERS, rows(results))


def main() -> int:
    """Run the benchmarks, the soak test or the self-tests."""
    # asyncio warns about writes to a connection whose end it has not seen yet.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    selector = CountingSelector()
    arguments = sys.argv[1:]
    if arguments[:1] == ["soak"]:
        options = parse_soak_arguments(arguments[1:])
        work = soak(Console(sys.stdout), **vars(options))
    elif arguments[:1] == ["self-tests"]:
        options = parse_self_test_arguments(arguments[1:])
        work = run_self_tests(Console(sys.stdout), **vars(options))
    else:
        work = bench(parse_arguments(arguments), selector)
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        return runner.run(until_signalled(work))


if __name__ == "__main__":
    sys.exit(main())
