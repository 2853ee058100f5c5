"""The mutants of the suite: what is changed, what is left out, and the score."""

from pathlib import Path

import pytest

from scripts.mutation.mutants import Mutant, find_mutants
from scripts.mutation.score import interval, report


def mutants(folder: Path, body: str) -> list[Mutant]:
    """Return the mutants of a function with such a body."""
    (folder / "module.py").write_text(f"def function(x: int) -> object:\n    {body}\n")
    return find_mutants(folder)


def changes(folder: Path, body: str) -> set[str]:
    """Return what a body becomes."""
    found = mutants(folder, body)
    return {mutant.name.partition(" → ")[2].strip("`") for mutant in found}


def test_a_comparison_a_number_and_a_result_are_changed(tmp_path: Path) -> None:
    assert changes(tmp_path, "return x < 1") == {
        *("return x <= 1", "return x < 2", "return None")
    }


def test_a_call_is_taken_away(tmp_path: Path) -> None:
    assert changes(tmp_path, "x.close()") == {"pass"}


def test_texts_for_people_are_left_out(tmp_path: Path) -> None:
    assert not changes(tmp_path, "raise ValueError('not a number')")


def test_a_log_is_left_out(tmp_path: Path) -> None:
    assert not changes(tmp_path, "_LOGGER.debug('%s', 1)")


def test_a_mutant_compiles_to_the_changed_function(tmp_path: Path) -> None:
    found = mutants(tmp_path, "return x + 1")
    sums = next(mutant for mutant in found if "x - 1" in mutant.name)
    assert sums.compiled().co_qualname == "function"


def test_the_interval_holds_the_share() -> None:
    low, high = interval(90, 100)
    assert 0.82 < low < 0.9 < high < 0.95


def test_a_survivor_is_listed() -> None:
    lines = ['{"name": "p/a", "kind": "killed"}', '{"name": "p/b", "kind": "survived"}']
    text = report("p", lines, 2)
    assert "50.0% of 2 mutants" in text
    assert text.endswith("- b")


@pytest.mark.parametrize("lines", [[], ['{"name": "p/a", "kind": "broke"}']])
def test_a_package_without_a_verdict_has_no_score(lines: list[str]) -> None:
    assert report("p", lines, 2) == "## p/\n\nNo mutant of 2 was tried yet."
