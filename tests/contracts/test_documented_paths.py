"""Paths and names in the documentation."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
import re

import pytest

from .sources import COMPONENT, ROOT, modules

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
# The texts of links are checked with their targets.
CODE = re.compile(r"(?<!\[)`([^`\n]+)`")
PATH = re.compile(r"[\w./-]+/[\w./-]*|[\w.-]+\.(?:py|md|ya?ml|json|toml)")
# Made when something runs.
OF_RUN_TIME = (".cache/", ".storage/", "config/")


def missing_paths(text: str) -> list[str]:
    """Return the paths in code spans that do not exist."""
    paths = (span for span in CODE.findall(text) if PATH.fullmatch(span))
    return [
        path
        for path in paths
        if not path.startswith(OF_RUN_TIME)
        and not any((folder / path).exists() for folder in (ROOT, COMPONENT))
    ]


def unknown_names(text: str) -> list[str]:
    """Return the names in code spans that no source of the component has."""
    spans = (span for span in CODE.findall(text) if not PATH.fullmatch(span))
    names = (name for span in spans for name in re.findall(r"\w+", span))
    return sorted(set(names) - known_names())


@cache
def known_names() -> frozenset[str]:
    """Return the names of and in the component's modules."""
    return frozenset(_names())


def packages() -> list[str]:
    """Return the folders of the component's packages."""
    found = (path.parent for path in COMPONENT.glob("**/__init__.py"))
    return sorted(f"{path.relative_to(COMPONENT)}/" for path in found)[1:]


def _names() -> Iterator[str]:
    for path in modules(COMPONENT):
        yield from (path.stem, path.parent.name)
        yield from re.findall(r"\w+", path.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_exists(page: Path) -> None:
    assert missing_paths(page.read_text("utf-8")) == []


def test_every_name_of_the_architecture_is_in_the_sources() -> None:
    assert unknown_names(ARCHITECTURE) == []


def test_the_layout_names_every_package() -> None:
    assert [name for name in packages() if f"`{name}`" not in ARCHITECTURE] == []


def test_what_is_gone_is_caught() -> None:
    assert missing_paths("`assist/gone.py` `gone/` `coordinator.py` `docs/`") == [
        "assist/gone.py",
        "gone/",
    ]
    assert unknown_names("`ClawdRuntime` (`gone_module`)") == ["gone_module"]
