"""Version of a release, and its notes."""

import json
from pathlib import Path
import re
import tomllib

HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\] - \d{4}-\d{2}-\d{2}$", re.MULTILINE)


class ReleaseError(Exception):
    """The repository cannot be released."""


def check_version(root: Path, tag: str | None = None) -> str:
    """Return the version of all files and the tag.

    Raises:
        ReleaseError: they differ.

    """
    manifest = root / "custom_components" / "clawd" / "manifest.json"
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    version = str(json.loads(manifest.read_text("utf-8"))["version"])
    others = {
        "pyproject.toml": str(project["version"]),
        "CHANGELOG.md": _newest(root)[0],
        **({"the tag": tag.removeprefix("v")} if tag else {}),
    }
    for place, other in others.items():
        if other != version:
            raise ReleaseError(f"manifest.json has {version}, {place} has {other}")
    return version


def release_notes(root: Path) -> str:
    """Return the newest version's section of the changelog.

    Raises:
        ReleaseError: the section is empty.

    """
    version, notes = _newest(root)
    if not notes:
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}")
    return notes


def _newest(root: Path) -> tuple[str, str]:
    text = (root / "CHANGELOG.md").read_text("utf-8")
    headings = list(HEADING.finditer(text))
    if not headings:
        raise ReleaseError("CHANGELOG.md has no heading like ## [1.2.3] - 2026-01-31")
    end = headings[1].start() if len(headings) > 1 else len(text)
    return headings[0]["version"], text[headings[0].end() : end].strip()
