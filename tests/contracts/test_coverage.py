"""Every line and branch is wanted, and what is exempted says why."""

import re
import tomllib

from .sources import COMPONENT, ROOT, modules

PRAGMA = re.compile(r"#\s*pragma[:\s]?\s*no\s*(?:cover|branch)(.*)", re.IGNORECASE)
SOURCES = modules(COMPONENT)
WHOLESALE = {"exclude_also", "exclude_lines", "omit", "partial_also"}


def unexplained(text: str) -> list[str]:
    """Find exemptions from coverage that give no reason behind a dash."""
    return [
        pragma[0]
        for pragma in PRAGMA.finditer(text)
        if not re.match(r" - \w+ \w+", pragma[1])
    ]


def test_an_exemption_without_a_reason_is_seen() -> None:
    assert unexplained("if x:  # pragma: no branch\n") == ["# pragma: no branch"]
    assert unexplained("x()  # Pragma: No Cover - why") == ["# Pragma: No Cover - why"]
    assert unexplained("x()  # pragma: no cover - only Windows does") == []


def test_every_exemption_says_why() -> None:
    found = {path.name: unexplained(path.read_text("utf-8")) for path in SOURCES}
    assert not {name: lines for name, lines in found.items() if lines}


def test_all_lines_and_branches_are_wanted_and_none_is_exempted_elsewhere() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    run, report = (settings["tool"]["coverage"][part] for part in ("run", "report"))

    assert run["branch"]
    assert report["fail_under"] == 100
    assert not WHOLESALE & {*run, *report}
