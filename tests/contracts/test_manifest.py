"""Consistency of manifest and HACS files."""

import ast
import tomllib

import pytest

from scripts.release.package import NAME

from .sources import COMPONENT, ROOT, parse, read_json

SLUG = "seed-24480319/clawd"


MANIFEST = read_json(COMPONENT / "manifest.json")


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # Importing the module would import Home Assistant, too.
    [constant] = (
        node.value.value
        for node in parse(COMPONENT / "const.py").body
        if isinstance(node, ast.AnnAssign)
        and ast.unparse(node.target) == "VERSION"
        and isinstance(node.value, ast.Constant)
    )
    assert MANIFEST["version"] == project["version"] == constant


@pytest.mark.parametrize(
    "key",
    ["codeowners", "documentation", "domain", "issue_tracker", "name", "version"],
)
def test_the_manifest_has_what_hacs_asks_for(key: str) -> None:
    assert MANIFEST[key]


def test_the_keys_of_the_manifest_are_in_the_order_of_hassfest() -> None:
    rest = [key for key in MANIFEST if key not in {"domain", "name"}]
    assert [*MANIFEST][:2] == ["domain", "name"]
    assert rest == sorted(rest)


def test_the_links_lead_to_the_repository() -> None:
    assert MANIFEST["domain"] == COMPONENT.name
    assert MANIFEST["documentation"] == f"https://github.com/{SLUG}"
    assert MANIFEST["issue_tracker"] == f"https://github.com/{SLUG}/issues"
    assert MANIFEST["codeowners"] == [f"@{SLUG.split('/', maxsplit=1)[0]}"]


def test_hacs_downloads_the_package_of_a_release() -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert (hacs["zip_release"], hacs["filename"]) == (True, NAME)


def test_hacs_knows_the_oldest_home_assistant() -> None:
    hacs = read_json(ROOT / "hacs.json")
    assert hacs["name"]
    assert hacs["homeassistant"] == "2026.3.0"
