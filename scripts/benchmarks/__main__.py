"""The benchmarks as a program: `python -m scripts.benchmarks`."""

import asyncio
from collections.abc import Sequence
import logging
from pathlib import Path
import sys

from scripts.home_assistant.console import Console, StepError
from scripts.home_assistant.processes import until_signalled

from .figure import Result
from .measure import measure_all
from .options import Options, parse_options, parse_soak_options
from .report import HEADERS, document, markdown, print_table, rows
from .soak import soak
from .stage import CountingSelector, Counts, stage


async def _bench(options: Options, selector: CountingSelector) -> int:
    progress = Console(sys.stderr)
    try:
        async with stage(Counts(), selector) as on:
            results = await measure_all(options.figures, on, options.repeat, progress)
    except StepError as err:
        progress.line(str(err))
        return 1
    _show(results, options)
    return int(options.check and not all(result.met for result in results))


def _show(results: Sequence[Result], options: Options) -> None:
    """Write what was asked for; the table goes where the document does not."""
    if options.json == "-":
        sys.stdout.write(document(results).decode())
    elif options.json:
        Path(options.json).write_bytes(document(results))
    stream = sys.stderr if options.json == "-" else sys.stdout
    if options.markdown:
        stream.write(markdown(results))
    else:
        print_table(Console(stream), HEADERS, rows(results))


def main() -> int:
    """Measure, or soak, as the command line says; return the exit status.

    asyncio warns of what is sent before the end of a connection is seen.
    """
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    selector = CountingSelector()
    arguments = sys.argv[1:]
    if arguments[:1] == ["soak"]:
        work = soak(parse_soak_options(arguments[1:]), Console(sys.stdout))
    else:
        work = _bench(parse_options(arguments), selector)
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selector)
    ) as runner:
        return runner.run(until_signalled(work))


if __name__ == "__main__":
    sys.exit(main())
