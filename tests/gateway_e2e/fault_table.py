"""Table of what came of each fault on each Gateway."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .faults import FAULTS
from .scenario import Ending

COLUMNS: Final = ("simulated v3", "simulated v4", "v3", "v4")
HEAD: Final = """\
# What comes of a run when something goes wrong

Each fault comes in the middle of a run whose reply has text before, between and
after two calls of a tool. **v3** is Clawdbot 2026.1.24-3, **v4** OpenClaw 2026.9.6,
each with a scripted model; the simulator of the tests has to do the same. *reply*
means that the whole of it arrived, once and in order; otherwise there is the code
of the error. The seconds are from the moment when the fault was over to the end of
the run. The run itself takes one or two, and OpenClaw's first after a start some
more; a run that cannot go on is given up three seconds after the connection, or
one second after the Gateway was asked for it (120 and 20 if not set otherwise).

Written by `scripts/test gateway_e2e -p no:randomly -k faults --fault-table
docs/faults.md`.

"""


@dataclass
class FaultTable:
    """The cells by fault and column."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, fault: str, column: str, ending: Ending, healed_at: float) -> None:
        """Fill a cell."""
        seconds = max(0.0, ending.at - healed_at)
        what = f"error {ending.code}" if ending.code else "reply"
        self.cells[fault, column] = f"{what}, {seconds:.1f} s"

    def write(self, path: Path) -> None:
        """Write the table as Markdown."""
        rows = [("fault", *COLUMNS), ("---",) * (1 + len(COLUMNS))]
        rows += [
            (fault, *(self.cells.get((fault, column), "not run") for column in COLUMNS))
            for fault in FAULTS
        ]
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        path.write_text(HEAD + "".join(lines))
