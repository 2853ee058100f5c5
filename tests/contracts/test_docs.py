"""Links, diagram and generated tables of the documentation."""

from itertools import pairwise
from pathlib import Path
import re

from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.clawd.diagnostics_data import SECTIONS
from scripts.documentation.blocks import DocumentationError, update
from scripts.documentation.errors import error_tables

from .import_graph import Import, component_sources, internal_imports
from .sources import COMPONENT, ROOT, read_json

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
TEXTS = read_json(COMPONENT / "translations" / "en.json")
SERVICES = load_yaml_dict(str(COMPONENT / "services.yaml"))
FIELD = ("field", "default", "description")
IMPORTS = internal_imports(component_sources())


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
    return cells((DOCS / page).read_text("utf-8").splitlines())


def cells(lines: list[str]) -> list[list[str]]:
    """Return the cells of tables, without headers."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line, after in pairwise([*lines, ""])
        if line.startswith("|") and not (line + after).count("| --- |")
    ]


def first(cells: list[list[str]]) -> list[str]:
    """Return the first cell of each row, without backticks."""
    return [row[0].strip("`") for row in cells]


def arrows(page: str) -> list[Import]:
    """Return the arrows of a diagram."""
    return [
        Import(*arrow)
        for arrow in re.findall(r"^ +([\w.]+) --> ([\w.]+)$", page, re.MULTILINE)
    ]


def is_import(arrow: Import) -> bool:
    """Return whether modules import as an arrow says."""
    return any(
        is_in(importer, arrow.importer) and is_in(imported, arrow.imported)
        for importer, imported in IMPORTS
    )


def is_in(module: str, name: str) -> bool:
    """Return whether a name is a module or its package."""
    return f"{module}.".startswith(f"{name}.")


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


def test_every_entity_is_explained() -> None:
    kinds = TEXTS["entity"].values()
    names = [entity["name"] for kind in kinds for entity in kind.values()]
    unnamed = ["AI task", "Connectivity", "Conversation agent"]
    assert sorted(first(rows("entities.md"))) == sorted([*names, *unnamed])


def test_every_field_of_every_action_is_explained() -> None:
    page = (DOCS / "actions.md").read_text("utf-8")
    _, *sections = re.split(r"^## `clawd\.(\w+)`$", page, flags=re.MULTILINE)
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    assert set(found) == set(SERVICES)
    for action, text in found.items():
        described = [
            row[0].strip("`")
            for row in cells(text.splitlines())
            if len(row) == len(FIELD)
        ]
        # The fields of `start_task` are those of `ask`, and one more.
        wanted = set(SERVICES[action]["fields"])
        wanted -= set(SERVICES["ask"]["fields"]) if action == "start_task" else set()
        assert sorted(described) == sorted(wanted), action


def test_every_section_of_the_diagnostics_is_explained() -> None:
    names = first(rows("diagnostics.md"))
    assert names[: names.index("1000")] == list(SECTIONS)


def test_every_arrow_of_the_diagrams_is_an_import() -> None:
    found = arrows((DOCS / "architecture.md").read_text("utf-8"))
    assert found
    assert [str(arrow) for arrow in found if not is_import(arrow)] == []


def test_a_wrong_arrow_is_caught() -> None:
    [right, wrong] = arrows("  conversation --> gateway\n  gateway --> conversation\n")
    assert is_import(right)
    assert not is_import(wrong)


def test_a_stale_page_is_caught(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- generated by scripts/docs: a -->\nold\n<!-- end -->\n")
    new = update(page, {"a": "new"})
    assert new
    page.write_text(new)
    assert update(page, {"a": "new"}) is None
    with pytest.raises(DocumentationError, match="missing or unknown block: b"):
        update(page, {"a": "new", "b": "new"})


def test_a_missing_or_unknown_remedy_is_caught() -> None:
    texts = {
        "config.error.broken": "It broke.",
        "config.error.lost": "It is lost. Try again.",
    }
    with pytest.raises(DocumentationError, match=r"error\.broken has no remedy"):
        error_tables(texts, {})
    with pytest.raises(DocumentationError, match=r"error\.old is no error text"):
        error_tables(texts, {"config.error.old": "Wait."})
    found = error_tables(texts, {"config.error.broken": "Report it."})["setup"]
    assert "| It broke. | Report it. |" in found
    assert "| It is lost. | Try again. |" in found


def test_a_broken_link_is_caught() -> None:
    page = DOCS / "README.md"
    assert broken(page, "[a](none.md) ![](images/device.png) [a](#none)") == [
        "none.md",
        "images/device.png",
        "#none",
    ]
    assert not broken(page, "[a](limits.md#known-limits) ![a](images/device.png)")
