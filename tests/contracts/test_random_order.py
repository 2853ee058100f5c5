"""The tests run in another order each time, which a seed brings back."""

import subprocess
import sys

from .sources import ROOT

COLLECT = ("-m", "pytest", "-p", "no:homeassistant", "--collect-only")
MODULE = "tests/contracts/test_layers.py"


def _collect(*options: str) -> list[str]:
    found = subprocess.run(
        [sys.executable, *COLLECT, MODULE, *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return found.stdout.splitlines()


def _tests(*options: str) -> list[str]:
    return [line for line in _collect("-q", *options) if "::" in line]


def test_a_seed_gives_the_order_within_a_module() -> None:
    first, again, other = (_tests(f"--randomly-seed={seed}") for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_a_run_says_its_seed() -> None:
    assert "Using --randomly-seed=7" in _collect("--randomly-seed=7")


def test_the_command_keeps_no_order() -> None:
    assert "randomly" not in (ROOT / "scripts" / "test").read_text("utf-8")
