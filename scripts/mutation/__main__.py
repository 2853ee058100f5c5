"""Run the self-test without each cleanup in turn."""

import argparse
from collections import Counter
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Final

from .sites import Site, find_sites

ROOT: Final = Path(__file__).parents[2]
COMPONENT: Final = Path("custom_components/clawd")
SCENARIO: Final = "tests/ha/mutant_scenario.py"
TIMEOUT: Final = 120
TABLE: Final = ROOT / ".cache/mutation/cleanups.md"

# The self-test itself, and modules without a part in a running entry.
EXCLUDED: Final = {
    "selftest",
    "flows",
    "config_flow.py",
    "repairs.py",
    "storage.py",
}
MARK: Final = "MUTANT "
HEAD: Final = """# Removed cleanups

In each mutant one cleanup was removed; then an entry went through runs, aborts,
timeouts, drops and a reload, and a drill of its self-test.

**{total} mutants: {detected} detected by the self-test, {failed} failed in the
scenario, {unloaded} not set up, {undetected} undetected.**

| function | removed | result |
| --- | --- | --- |
"""


@dataclass(frozen=True)
class Verdict:
    """Result of a mutant."""

    site: Site
    kind: str
    signs: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return the cell of the table."""
        return " ".join([self.kind, ", ".join(self.signs)]).strip()


def main() -> int:
    """Try every mutant and write the table."""
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument(
        "--only", default="", help="part of a function's name, such as gateway/pending"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdicts = _try_all(Path(folder), options.only)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(_table(verdicts), "utf-8")
    print(f"see {TABLE.relative_to(ROOT)}")
    return 0


def _try_all(work: Path, only: str) -> list[Verdict]:
    for name in ("custom_components", "tests"):
        shutil.copytree(ROOT / name, work / name)
    shutil.copy(ROOT / "pyproject.toml", work)
    sites = [
        site
        for site in find_sites(work / COMPONENT)
        if not EXCLUDED & {*site.path.parts, site.path.name} and only in site.name
    ]
    return [_try(site, work, f"{n}/{len(sites)}") for n, site in enumerate(sites, 1)]


def _try(site: Site, work: Path, count: str) -> Verdict:
    original = site.path.read_text("utf-8")
    site.path.write_text(site.without(), "utf-8")
    try:
        verdict = _judge(site, _run(work))
    finally:
        site.path.write_text(original, "utf-8")
    print(f"{count} {site.name}: {verdict.text}", file=sys.stderr, flush=True)
    return verdict


def _run(work: Path) -> dict[str, Any]:
    """Return the outcome that the scenario prints last."""
    command = [sys.executable, "-m", "pytest", SCENARIO, "-q", "-s", "--timeout=90"]
    try:
        done = subprocess.run(
            command,
            cwd=work,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"started": "loaded", "broke": "hung"}
    lines = [x for x in done.stdout.splitlines() if x.startswith(MARK)]
    return dict(json.loads(lines[-1].removeprefix(MARK))) if lines else {}


def _judge(site: Site, found: dict[str, Any]) -> Verdict:
    if found.get("started") != "loaded":
        return Verdict(site, "not set up")
    if bad := found.get("bad"):
        return Verdict(site, "detected by", tuple(bad))
    for sign in ("self_test", "broke"):
        if sign in found:
            return Verdict(site, "failed:", (found[sign],))
    return Verdict(site, "undetected")


def _table(verdicts: list[Verdict]) -> str:
    kinds = Counter(verdict.kind for verdict in verdicts)
    head = HEAD.format(
        total=len(verdicts),
        detected=kinds["detected by"],
        failed=kinds["failed:"],
        unloaded=kinds["not set up"],
        undetected=kinds["undetected"],
    )
    rows = [f"| {v.site.name} | `{v.site.text}` | {v.text} |" for v in verdicts]
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
