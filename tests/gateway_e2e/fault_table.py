"""Results of each fault on each Gateway."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .faults import FAULTS
from .scenario import RunOutcome

COLUMNS: Final = ("simulated v3", "simulated v4", "v3", "v4")
HEAD: Final = """\
# Outcome of a run after each fault

Each fault occurs in the middle of a run whose reply has text before, between and
after two tool calls. **v3** is Clawdbot 2026.1.24-3, **v4** OpenClaw 2026.9.6, each
with a scripted model; the simulator of the tests must give the same result. *reply*
means that the whole reply arrived, once and in order; otherwise the cell has the
code of the error. The seconds are from the end of the fault to the end of the run.
The run itself takes one or two seconds, and the first one after a start of OpenClaw
some more. A run that cannot continue is given up three seconds after the connection
was lost, or one second after the Gateway was asked for it (by default 120 and 20).

Written by `scripts/test gateway_e2e -p no:randomly -k faults --fault-table
docs/faults.md`.

"""


@dataclass
class FaultTable:
    """Table cells by fault and column."""

    cells: dict[tuple[str, str], str] = field(default_factory=dict)

    def record(
        self, fault: str, column: str, outcome: RunOutcome, recovered_at: float
    ) -> None:
        """Set a cell."""
        seconds = max(0.0, outcome.at - recovered_at)
        result = f"error {outcome.code}" if outcome.code else "reply"
        self.cells[fault, column] = f"{result}, {seconds:.1f} s"

    def write(self, path: Path) -> None:
        """Write the table as Markdown."""
        rows = [("fault", *COLUMNS), ("---",) * (1 + len(COLUMNS))]
        rows += [
            (fault, *(self.cells.get((fault, column), "not run") for column in COLUMNS))
            for fault in FAULTS
        ]
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        path.write_text(HEAD + "".join(lines))
