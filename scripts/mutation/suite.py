"""Run the tests that reach a mutant on it, each mutant in a fork of pytest."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable
import gc
import json
import os
from pathlib import Path
import select
import signal
import sys
import time
from types import CodeType, FunctionType
from typing import Final

import pytest

from scripts.home_assistant.folder import COMPONENT, ROOT

from .mutants import Mutant, find_mutants
from .score import report

LONGEST: Final = 60.0
"""Seconds for the tests of one mutant, which is undecided then."""
TESTS: Final = {
    "gateway": ["-p", "no:homeassistant", "--timeout=5", "tests/unit"],
    "selftest": [
        "--timeout=20",
        *map(str, sorted(ROOT.glob("tests/unit/selftest/test_*.py"))),
        *map(str, sorted(ROOT.glob("tests/ha/test_*self_test*.py"))),
    ],
}
"""The arguments of pytest for each package."""
TOOL: Final = sys.monitoring.COVERAGE_ID

type Line = tuple[str, int]


class Suite:
    """A plugin that tries mutants in the place of running the tests once."""

    def __init__(self, folder: Path, verdicts: Path, seconds: float) -> None:
        """Take what to mutate, the file to add verdicts to, and the time for it."""
        self._mutants = find_mutants(folder)
        self._folder = str(folder)
        self._verdicts = verdicts
        self._end = time.monotonic() + seconds
        self._functions: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
        self._reached: dict[Line, set[int]] = defaultdict(set)
        self._seconds: list[float] = []
        self._killer = Path(f"{verdicts}.killer")
        self._kills: dict[Path, Counter[int]] = defaultdict(Counter)
        self._failed = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed |= report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which tests reach which line, then try one mutant after another."""
        gc.unfreeze()
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                code = thing.__code__
                self._functions[code.co_filename, code.co_qualname].append(thing)
        gc.freeze()
        self._learn(session.items)
        verdicts = map(json.loads, _lines(self._verdicts))
        known = {verdict["name"]: verdict["by"] for verdict in verdicts}
        for mutant in self._mutants:
            if time.monotonic() > self._end:
                break
            if mutant.name not in known:
                self._try(mutant, session.items)
            elif (killer := known[mutant.name]) is not None:
                self._kills[mutant.path][killer] += 1
        return True

    def _try(self, mutant: Mutant, items: list[pytest.Item]) -> None:
        tests = {n for x in mutant.lines for n in self._reached[str(mutant.path), x]}
        kills = self._kills[mutant.path]
        chosen = sorted(tests, key=lambda n: (-kills[n], self._seconds[n]))
        start = time.monotonic()
        kind = "not reached"
        if chosen:
            kind = _forked(lambda: self._killed(mutant, chosen, items))
        killer = None
        if kind == "killed":
            killer = int(self._killer.read_text("utf-8"))
            kills[killer] += 1
        seconds = round(time.monotonic() - start, 2)
        verdict = {
            "name": mutant.name,
            "kind": kind,
            "by": killer,
            "seconds": seconds,
        }
        with self._verdicts.open("a", encoding="utf-8") as file:
            file.write(json.dumps(verdict, ensure_ascii=False) + "\n")

    def _killed(
        self, mutant: Mutant, chosen: list[int], items: list[pytest.Item]
    ) -> bool:
        code = mutant.compiled()
        functions = self._functions[str(mutant.path), mutant.function]
        if not functions:
            raise LookupError(mutant.name)
        for function in functions:
            function.__code__ = code
        for n in chosen:
            items[n].config.hook.pytest_runtest_protocol(item=items[n], nextitem=None)
            if self._failed:
                self._killer.write_text(str(n), "utf-8")
                return True
        return False

    def _learn(self, items: list[pytest.Item]) -> None:
        """Run each test once, in a fork, and take over the lines it reached."""
        pipe = Path(f"{self._verdicts}.lines")
        with pipe.open("w", 1, "utf-8") as f:
            kind = _forked(lambda: self._watch(items, f.write), 1200)
        if kind != "survived":
            sys.exit(f"the tests fail without a mutant: {kind}")
        for n, line in enumerate(_lines(pipe)):
            seconds, lines = json.loads(line)
            self._seconds.append(seconds)
            for path, number in lines:
                self._reached[path, number].add(n)

    def _watch(self, items: list[pytest.Item], write: Callable[[str], object]) -> bool:
        seen: set[Line] = set()

        def line(code: CodeType, number: int) -> object:
            if code.co_filename.startswith(self._folder):
                seen.add((code.co_filename, number))
            return sys.monitoring.DISABLE

        sys.monitoring.use_tool_id(TOOL, "mutation")
        sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, line)
        sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)
        for item in items:
            seen.clear()
            sys.monitoring.restart_events()
            start = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            write(json.dumps([time.monotonic() - start, sorted(seen)]) + "\n")
        return self._failed


def _forked(work: Callable[[], bool], longest: float = LONGEST) -> str:
    """Return what became of work in a fork of this process."""
    if not (pid := os.fork()):
        _work(work)
    pidfd = os.pidfd_open(pid)
    try:
        done, _, _ = select.select([pidfd], [], [], longest)
        if not done:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(pidfd)
    kinds = {0: "survived", 1: "killed"}
    if not done:
        return "undecided"
    return kinds.get(os.waitstatus_to_exitcode(status), "broke")


def _work(work: Callable[[], bool]) -> None:
    """Do it in silence, and leave with 0 or 1, or 2 if it could not be done."""
    code = 2
    try:
        code = int(work())
    finally:
        sys.stdout.flush()
        os._exit(code)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def main() -> int:
    """Try mutants of a package for some time, going on where it was stopped."""
    parser = argparse.ArgumentParser(prog="scripts/mutate-suite", description=__doc__)
    parser.add_argument("package", choices=TESTS)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--report", action="store_true", help="print the table")
    options = parser.parse_args()
    verdicts = ROOT / f".cache/mutation/{options.package}.jsonl"
    verdicts.parent.mkdir(parents=True, exist_ok=True)
    if options.report:
        total = len(find_mutants(COMPONENT / options.package))
        print(report(options.package, _lines(verdicts), total))
        return 0
    suite = Suite(COMPONENT / options.package, verdicts, options.minutes * 60)
    arguments = ["-q", "-p", "no:randomly", *TESTS[options.package]]
    pytest.main(arguments, plugins=[suite])
    return 0


if __name__ == "__main__":
    sys.exit(main())
