"""Version, notes and package of a release."""

from hashlib import sha256
import json
import os
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.home_assistant.folder import COMPONENT, ROOT
from scripts.release.package import CHECKSUMS, build_package
from scripts.release.version import ReleaseError, check_version, release_notes

CHANGELOG = """\
# Changelog

## [0.2.0] - 2026-12-01

- New.

## [0.1.0] - 2026-11-24

- Old.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository at version 0.2.0."""
    component = tmp_path / "custom_components" / "clawd"
    component.mkdir(parents=True)
    (component / "manifest.json").write_text(json.dumps({"version": "0.2.0"}))
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_repository_can_be_released() -> None:
    assert check_version(ROOT)
    assert release_notes(ROOT)


@pytest.mark.parametrize("tag", [None, "v0.2.0"])
def test_consistent_version(root: Path, tag: str | None) -> None:
    assert check_version(root, tag) == "0.2.0"


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("pyproject.toml", '[project]\nversion = "0.3.0"\n', "pyproject.toml"),
        ("CHANGELOG.md", "## [0.3.0] - 2026-12-01\n", "CHANGELOG.md"),
        ("CHANGELOG.md", "## 0.2.0\n", "no heading"),
    ],
)
def test_inconsistent_version_is_named(
    root: Path, name: str, text: str, place: str
) -> None:
    (root / name).write_text(text)
    with pytest.raises(ReleaseError, match=place):
        check_version(root)


def test_inconsistent_tag_is_named() -> None:
    with pytest.raises(ReleaseError, match="the tag has 9"):
        check_version(ROOT, "v9")


def test_notes_of_newest_version(root: Path) -> None:
    assert release_notes(root) == "- New."


def test_version_without_notes_is_rejected(root: Path) -> None:
    (root / "CHANGELOG.md").write_text("## [0.2.0] - 2026-12-01\n")
    with pytest.raises(ReleaseError, match="says nothing"):
        release_notes(root)


def test_package_contains_component_at_root(tmp_path: Path) -> None:
    with ZipFile(build_package(COMPONENT, tmp_path)) as package:
        names = package.namelist()
        assert (
            package.read("manifest.json") == (COMPONENT / "manifest.json").read_bytes()
        )
    assert {"__init__.py", "gateway/client.py", "translations/de.json"} <= {*names}
    assert not [name for name in names if "__pycache__" in name]


def test_package_is_reproducible(tmp_path: Path) -> None:
    (component := tmp_path / "clawd").mkdir()
    (source := component / "a.py").write_text("")
    first = build_package(component, tmp_path / "first").read_bytes()
    os.utime(source, (2e9, 2e9))
    assert build_package(component, tmp_path / "second").read_bytes() == first


def test_checksum_of_package(tmp_path: Path) -> None:
    package = build_package(COMPONENT, tmp_path)
    digest = sha256(package.read_bytes()).hexdigest()
    assert (tmp_path / CHECKSUMS).read_text() == f"{digest}  clawd.zip\n"
