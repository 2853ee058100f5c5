"""Examples of actions, and names of settings, in the documentation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import Any

from homeassistant.util.yaml import load_yaml_dict, parse_yaml
import pytest

from .sources import COMPONENT, ROOT, read_json

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SERVICES: dict[str, Any] = load_yaml_dict(str(COMPONENT / "services.yaml"))
FENCE = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
# **Fast voice**, a setting; the option **Warm up after a start**
SETTING = re.compile(
    r"(?:option|setting) \*\*([^*]+)\*\*|\*\*([^*]+)\*\*, an? (?:option|setting)"
)


def examples(action: str) -> list[Any]:
    """Return the YAML examples in the section of an action."""
    page = (ROOT / "docs" / "actions.md").read_text("utf-8")
    section = page.partition(f"## `clawd.{action}`\n")[2].partition("\n## ")[0]
    return [parse_yaml(block) for block in FENCE.findall(section)]


def settings_of(text: str) -> Iterator[str]:
    """Yield the names of options and settings in a text."""
    for first, second in SETTING.findall(text):
        yield first or second


def texts(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of translations."""
    for value in node.values():
        if isinstance(value, dict):
            yield from texts(value)
        else:
            yield value


@pytest.mark.parametrize("action", SERVICES)
def test_every_action_has_an_example(action: str) -> None:
    # `tests/ha/test_examples.py` runs it.
    assert f"clawd.{action}" in [example.get("action") for example in examples(action)]


@pytest.mark.parametrize("action", SERVICES)
def test_every_field_has_a_selector(action: str) -> None:
    fields = SERVICES[action]["fields"]
    assert [name for name, field in fields.items() if not field.get("selector")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_is_called_as_in_its_form(page: Path) -> None:
    names = set(texts(read_json(COMPONENT / "translations" / "en.json")))
    assert [
        name for name in settings_of(page.read_text("utf-8")) if name not in names
    ] == []


def test_a_renamed_setting_is_caught() -> None:
    text = "the option **Keep a reply**, and **Fast voice**, a setting of an agent"
    assert list(settings_of(text)) == ["Keep a reply", "Fast voice"]
