"""The texts have the shape, and keep the rules, that hassfest checks."""

from collections.abc import Callable, Iterator
import re
from string import Formatter
from typing import Any

from homeassistant.helpers import config_validation as cv
import pytest
import voluptuous as vol

from .sources import COMPONENT, read_json

TRANSLATIONS = COMPONENT / "translations"
LANGUAGES = sorted(path.stem for path in TRANSLATIONS.glob("*.json"))
KEY = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
URL = re.compile(r"(?i)(\b(ftps?|scp|https?|mqtts?|socket|socks5)://|www\.)[a-z0-9]")
NAME = re.compile(r"\.\w+\.\w+\.name")

type Shape = str | dict[str, Shape]
type Texts = dict[str, Any]
type Rule = Callable[[Texts], Iterator[str]]

# In a shape "text" is a text; "*" stands for any key, and a key that ends with "!"
# must be there.
TEXTS: Shape = {"*": "text"}
FIELDS: Shape = {"*": {"name!": "text", "description!": "text", "example": "text"}}
FORM: dict[str, Shape] = {"data": TEXTS, "data_description": TEXTS}
SECTION: Shape = FORM | {"name": "text", "description": "text"}
STEP: Shape = FORM | {
    "title": "text",
    "description": "text",
    "menu_options": TEXTS,
    "menu_option_descriptions": TEXTS,
    "submit": "text",
    "sections": {"*": SECTION},
}
FLOW: dict[str, Shape] = {
    "flow_title": "text",
    "step!": {"*": STEP},
    "error": TEXTS,
    "abort": TEXTS,
    "progress": TEXTS,
    "create_entry": TEXTS,
}
ENTITY: Shape = {
    "name": "text",
    "state": TEXTS,
    "state_attributes": {"*": {"name": "text", "state": TEXTS}},
    "unit_of_measurement": "text",
}
SUBENTRY: Shape = FLOW | {
    "entry_type!": "text",
    "initiate_flow!": {"user!": "text", "*": "text"},
}
SERVICE: Shape = {
    "name!": "text",
    "description!": "text",
    "fields": FIELDS,
    "sections": {"*": {"name!": "text", "description": "text"}},
}
SHAPE: Shape = {
    "title": "text",
    "config": FLOW,
    "config_subentries": {"*": SUBENTRY},
    "options": FLOW,
    "selector": {"*": {"options": TEXTS, "fields": FIELDS}},
    "system_health": {"info": TEXTS},
    "issues": {"*": {"title!": "text", "description": "text", "fix_flow": FLOW}},
    "device": {"*": {"name": "text"}},
    "entity": {"*": {"*": ENTITY}},
    "exceptions": {"*": {"message": "text"}},
    "services": {"*": SERVICE},
    "common": TEXTS,
}


def _differences(node: object, shape: Shape, path: str = "") -> Iterator[str]:
    """Yield the paths at which a tree is not of a shape."""
    if isinstance(shape, str) or not isinstance(node, dict):
        if isinstance(node, str) is not isinstance(shape, str):
            yield f"{path}: wrong kind"
        return
    known = {key.removesuffix("!"): value for key, value in shape.items()}
    for key in shape:
        if key.endswith("!") and key.removesuffix("!") not in node:
            yield f"{path}.{key}: missing"
    for key, value in node.items():
        if inner := known.get(key, known.get("*")):
            yield from _differences(value, inner, f"{path}.{key}")
        else:
            yield f"{path}.{key}: unknown"


def _leaves(node: Texts, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.{key}")
        else:
            yield f"{path}.{key}", value


def _forms(node: Texts) -> Iterator[Texts]:
    if "data_description" in node:
        yield node
    for value in node.values():
        if isinstance(value, dict):
            yield from _forms(value)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def misshapen(texts: Texts) -> Iterator[str]:
    """Find keys that hassfest does not know, or misses."""
    yield from _differences(texts, SHAPE)


def misspelt(texts: Texts) -> Iterator[str]:
    """Find keys that are no translation keys."""
    for path, _ in _leaves(texts):
        if not all(KEY.fullmatch(key) for key in path.split(".")[1:]):
            yield path


def described_nowhere(texts: Texts) -> Iterator[str]:
    """Find descriptions of fields that the form does not have."""
    for form in _forms(texts):
        yield from form["data_description"].keys() - form.get("data", {}).keys()


def marked_up(texts: Texts) -> Iterator[str]:
    """Find texts with HTML."""
    for path, text in _leaves(texts):
        try:
            cv.string_with_no_html(text)
        except vol.Invalid:
            yield path


def linked(texts: Texts) -> Iterator[str]:
    """Find texts with a URL, which belongs into a placeholder."""
    return (path for path, text in _leaves(texts) if URL.search(text))


def quoted(texts: Texts) -> Iterator[str]:
    """Find placeholders in single quotes, which the frontend shows as they are."""
    return (path for path, text in _leaves(texts) if re.search(r"'\{\w+\}'", text))


def misnamed(texts: Texts) -> Iterator[str]:
    """Find placeholders that are no identifiers."""
    for path, text in _leaves(texts):
        if not all(name.isidentifier() for name in _placeholders(text)):
            yield path


def filled_in(texts: Texts) -> Iterator[str]:
    """Find placeholders in texts of an entity that are not its name."""
    for path, text in _leaves(texts.get("entity", {})):
        if _placeholders(text) and not NAME.fullmatch(path):
            yield path


def referring(texts: Texts) -> Iterator[str]:
    """Find references to other texts, which only Home Assistant's build resolves."""
    return (path for path, text in _leaves(texts) if "[%key:" in text)


def padded(texts: Texts) -> Iterator[str]:
    """Find texts with spaces around them."""
    return (path for path, text in _leaves(texts) if text != text.strip())


def ambiguous(texts: Texts) -> Iterator[str]:
    """Find issues that have not one of a description and a dialogue."""
    for key, issue in texts.get("issues", {}).items():
        if ("description" in issue) is ("fix_flow" in issue):
            yield key


RULES: dict[Rule, Texts] = {
    misshapen: {"config": {"steps": {}}},
    misspelt: {"exceptions": {"Not_Found": {"message": "No"}}},
    described_nowhere: {
        "options": {"step": {"init": {"data": {}, "data_description": {"a": "b"}}}}
    },
    marked_up: {"title": "<b>Gateway</b>"},
    linked: {"title": "See https://example.com/docs"},
    quoted: {"title": "No '{name}'"},
    misnamed: {"title": "No {a name}"},
    filled_in: {"entity": {"sensor": {"a": {"state": {"on": "On {name}"}}}}},
    referring: {"title": "[%key:common::state::on%]"},
    padded: {"title": "Gateway "},
    ambiguous: {"issues": {"a": {"title": "A", "description": "B", "fix_flow": {}}}},
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_breaks_no_rule(language: str, rule: Rule) -> None:
    assert not list(rule(read_json(TRANSLATIONS / f"{language}.json")))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(RULES[rule]))


@pytest.mark.parametrize(
    "texts",
    [{"options": {}}, {"title": {}}, {"exceptions": "none"}],
    ids=["missing", "no text", "no tree"],
)
def test_a_wrong_shape_is_caught(texts: Texts) -> None:
    assert list(misshapen(texts))
