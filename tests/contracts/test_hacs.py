"""The repository keeps the rules that HACS checks, as far as they are in its files."""

from collections.abc import Callable, Iterator
from pathlib import Path
import re

import pytest

from .sources import ROOT, read_json

KEYS = {
    "content_in_root": bool,
    "country": list,
    "filename": str,
    "hacs": str,
    "hide_default_branch": bool,
    "homeassistant": str,
    "name": str,
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}

type Rule = Callable[[Path], Iterator[str]]


def unsettled(root: Path) -> Iterator[str]:
    """Find settings that HACS does not know, or of another kind."""
    settings = read_json(root / "hacs.json")
    if not settings.get("name"):
        yield "name"
    for key, value in settings.items():
        if type(value) is not KEYS.get(key):
            yield key


def nameless_package(root: Path) -> Iterator[str]:
    """Find a package that HACS should download, and cannot."""
    settings = read_json(root / "hacs.json")
    if settings.get("zip_release") and not settings.get("filename"):
        yield "filename"


def crowded(root: Path) -> Iterator[str]:
    """Find integrations beside the one that HACS sees."""
    folders = sorted((root / "custom_components").glob("*/manifest.json"))
    yield from (path.parent.name for path in folders[1:])


def faceless(root: Path) -> Iterator[str]:
    """Find integrations without an icon."""
    for path in (root / "custom_components").glob("*/manifest.json"):
        if not (path.parent / "brand" / "icon.png").is_file():
            yield path.parent.name


def silent(root: Path) -> Iterator[str]:
    """Find a lack of a README, of a licence, or of a picture."""
    yield from (
        name for name in ("README.md", "LICENSE") if not (root / name).is_file()
    )
    readme = root / "README.md"
    if readme.is_file() and not re.search(r"!\[.+\]\(.+\)", readme.read_text("utf-8")):
        yield "a picture"


RULES: dict[Rule, dict[str, str]] = {
    unsettled: {"hacs.json": '{"name": "A", "domains": ["a"]}'},
    nameless_package: {"hacs.json": '{"name": "A", "zip_release": true}'},
    crowded: {
        "custom_components/a/manifest.json": "{}",
        "custom_components/b/manifest.json": "{}",
    },
    faceless: {"custom_components/a/manifest.json": "{}"},
    silent: {"README.md": "# A", "LICENSE": ""},
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_breaks_no_rule(rule: Rule) -> None:
    assert not list(rule(ROOT))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule, tmp_path: Path) -> None:
    for name, text in RULES[rule].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert list(rule(tmp_path))
