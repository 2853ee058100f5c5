"""Rules of HACS on the files of the repository."""

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


def invalid_settings(root: Path) -> Iterator[str]:
    """Find settings that HACS does not accept."""
    settings = read_json(root / "hacs.json")
    if not settings.get("name"):
        yield "name"
    for key, value in settings.items():
        if type(value) is not KEYS.get(key):
            yield key


def missing_filename(root: Path) -> Iterator[str]:
    """Find a zipped release without a file name."""
    settings = read_json(root / "hacs.json")
    if settings.get("zip_release") and not settings.get("filename"):
        yield "filename"


def second_integration(root: Path) -> Iterator[str]:
    """Find integrations beside the first."""
    folders = sorted((root / "custom_components").glob("*/manifest.json"))
    yield from (path.parent.name for path in folders[1:])


def missing_icon(root: Path) -> Iterator[str]:
    """Find integrations without an icon."""
    for path in (root / "custom_components").glob("*/manifest.json"):
        if not (path.parent / "brand" / "icon.png").is_file():
            yield path.parent.name


def missing_texts(root: Path) -> Iterator[str]:
    """Find a missing README, license or picture."""
    yield from (
        name for name in ("README.md", "LICENSE") if not (root / name).is_file()
    )
    readme = root / "README.md"
    if readme.is_file() and not re.search(r"!\[.+\]\(.+\)", readme.read_text("utf-8")):
        yield "a picture"


RULES: dict[Rule, dict[str, str]] = {
    invalid_settings: {"hacs.json": '{"name": "A", "domains": ["a"]}'},
    missing_filename: {"hacs.json": '{"name": "A", "zip_release": true}'},
    second_integration: {
        "custom_components/a/manifest.json": "{}",
        "custom_components/b/manifest.json": "{}",
    },
    missing_icon: {"custom_components/a/manifest.json": "{}"},
    missing_texts: {"README.md": "# A", "LICENSE": ""},
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
