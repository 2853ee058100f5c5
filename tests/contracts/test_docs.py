"""Links and completeness of the documentation."""

from itertools import pairwise
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import load_yaml_dict
import pytest

from .sources import COMPONENT, ROOT, imports, parse, read_json

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
TEXTS = read_json(COMPONENT / "translations" / "en.json")
SERVICE = load_yaml_dict(str(COMPONENT / "services.yaml"))["self_test"]
CHECKS = SERVICE["fields"]["checks"]["selector"]["select"]["options"]
COLUMNS = ("check", "mode", "looks at", "why", "what to do")
FIELD = ("field", "default", "what")
AGENT = TEXTS["config_subentries"]["conversation"]


def anchors(text: str) -> set[str]:
    """Return the GitHub anchors of a page's headings."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


def broken(page: Path, text: str) -> list[str]:
    """Return the broken links and images of a page."""
    faults = []
    for words, target in LINK.findall(text):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        if "://" in target:
            continue
        known = anchors(file.read_text("utf-8")) if anchor and file.exists() else ()
        if not words or not file.exists() or (anchor and anchor not in known):
            faults.append(target)
    return faults


def rows(page: str) -> list[list[str]]:
    """Return the cells of a page's tables, without headers."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line, after in pairwise([*lines, ""])
        if line.startswith("|") and not (line + after).count("| --- |")
    ]


def first(cells: list[list[str]]) -> list[str]:
    """Return the first cell of each row, without backticks."""
    return [row[0].strip("`") for row in cells]


def labels(step: dict[str, Any]) -> set[str]:
    """Return the labels of a form and of its sections."""
    found = set(step.get("data", {}).values())
    return found.union(*map(labels, step.get("sections", {}).values()))


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, placeholders replaced."""
    line = re.sub(r"\{\w+\}", "…", text).partition("\n")[0]
    return re.split(r"(?<=\.) ", line)[0]


def module(name: str) -> Path:
    """Return the file of a module of the component."""
    path = COMPONENT.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(path: Path) -> set[str]:
    """Return the modules of the component that a module imports."""
    inside = path.parent.relative_to(COMPONENT).parts
    found = set()
    for level, name in imports(parse(path)):
        if level:
            found.add(".".join((*inside[: len(inside) - level + 1], name)))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_images_resolve(page: Path) -> None:
    assert broken(page, page.read_text("utf-8")) == []


def test_the_index_links_every_page() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    linked = {target for _, target in LINK.findall(index)}
    assert {p.name for p in DOCS.glob("*.md")} - {"README.md"} <= linked


def test_the_readme_is_short_and_links_the_documentation() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 90
    assert "(docs/README.md)" in text


def test_every_check_is_explained() -> None:
    table = [row for row in rows("self-test.md") if len(row) == len(COLUMNS)]
    assert sorted(first(table)) == sorted(CHECKS)
    assert all(cell for row in table for cell in row)
    page = (DOCS / "self-test.md").read_text("utf-8")
    for check in CHECKS:
        assert TEXTS["exceptions"][f"check_{check}_hint"]["message"] in page


def test_every_setting_is_explained() -> None:
    steps = [*AGENT["step"].values(), TEXTS["options"]["step"]["init"]]
    steps += TEXTS["config"]["step"].values()
    assert set(first(rows("settings.md"))) == set().union(*map(labels, steps))


def test_every_entity_is_explained() -> None:
    kinds = TEXTS["entity"].values()
    names = [entity["name"] for kind in kinds for entity in kind.values()]
    unnamed = ["Connectivity", "Conversation agent"]
    assert sorted(first(rows("entities.md"))) == sorted([*names, *unnamed])


def test_every_field_of_the_action_is_explained() -> None:
    described = [
        row[0].strip("`") for row in rows("actions.md") if len(row) == len(FIELD)
    ]
    assert sorted(described) == sorted(SERVICE["fields"])


def test_every_section_of_the_diagnostics_is_explained() -> None:
    source = (COMPONENT / "diagnostics_data.py").read_text("utf-8")
    sections = re.findall(
        r'^    "(\w+)": _', source.partition("\nSECTIONS")[2], re.MULTILINE
    )
    assert first(rows("diagnostics.md")) == sections


def test_every_error_is_explained() -> None:
    texts = [
        error["message"]
        for key, error in TEXTS["exceptions"].items()
        if not key.startswith("check_")
    ]
    texts += [issue["title"] for issue in TEXTS["issues"].values()]
    for forms in (TEXTS["config"], AGENT):
        texts += forms["error"].values()
        texts += [
            text
            for key, text in forms["abort"].items()
            if not key.endswith("_successful")
        ]
    assert set(first(rows("troubleshooting.md"))) == set(map(first_sentence, texts))


def test_every_arrow_of_the_diagram_is_an_import() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    arrows = re.findall(r"^ +([\w.]+) --> ([\w.]+)$", page, re.MULTILINE)
    assert arrows
    assert [a for a in arrows if a[1] not in imported(module(a[0]))] == []


def test_a_broken_link_is_caught() -> None:
    page = DOCS / "README.md"
    assert broken(page, "[a](none.md) ![](images/device.png) [a](#none)") == [
        "none.md",
        "images/device.png",
        "#none",
    ]
    assert not broken(page, "[a](limits.md#known-limits) ![a](images/device.png)")
