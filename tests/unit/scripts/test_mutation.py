"""Cleanups that `scripts/mutate` takes away."""

from pathlib import Path

import pytest

from scripts.mutation.sites import Site, find_sites


def sites(folder: Path, statement: str) -> list[Site]:
    """Return the cleanups in a method of one statement."""
    folder.joinpath("module.py").write_text(
        f"class Client:\n    async def end(self):\n        {statement}\n"
    )
    return find_sites(folder)


@pytest.mark.parametrize(
    "statement",
    [
        "self._timer.cancel()",
        "await self._close()",
        "del self._listeners[name]",
        "self._connection = None",
    ],
)
def test_a_cleanup_is_found_and_taken_away(tmp_path: Path, statement: str) -> None:
    [site] = sites(tmp_path, statement)
    assert site.name == f"{tmp_path.name}/module.Client.end"
    assert site.text == statement
    assert site.without().splitlines()[2] == "        pass"


@pytest.mark.parametrize("statement", ["self._timer.start()", "self.ended = None"])
def test_another_statement_stays(tmp_path: Path, statement: str) -> None:
    assert sites(tmp_path, statement) == []
