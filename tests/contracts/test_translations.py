"""Translation keys in code and languages."""

import ast
from collections.abc import Callable, Iterator
import re
from typing import Any

import pytest

from scripts.translations import FOLDER, Texts, languages, report, texts_of

from .sources import COMPONENT, nodes, parse, read_json

type Rule = Callable[[Texts], list[str]]

CODE = re.compile(r"```.+?```|`[^`]+`", re.DOTALL)
PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
ENGLISH: dict[str, Any] = read_json(FOLDER / "en.json")
TEXTS = texts_of("en")
FLOW = (
    "config_flow.py",
    "flows/address_form.py",
    "flows/certificate.py",
    "flows/form_errors.py",
    "flows/headers.py",
    "flows/node_setup.py",
    "flows/setup.py",
    "error_mapping.py",
)


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _strings(module: str) -> set[str]:
    return set(_constants(parse(COMPONENT / module)))


def _error_keys() -> set[str]:
    """Return the translation keys of the error classes."""
    return _table("error_mapping.py", "_KEYS")


def _table(module: str, name: str) -> set[str]:
    """Return the strings among the values of a table."""
    [table] = (
        node.value
        for node in nodes(parse(COMPONENT / module))
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
    )
    assert isinstance(table, ast.Dict)
    return {key for value in table.values for key in _constants(value)}


def _keyword_values(name: str) -> set[str]:
    """Return the literal values of a keyword argument."""
    return {
        keyword.value.value
        for path in COMPONENT.rglob("*.py")
        for node in nodes(parse(path))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == name
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def test_every_error_has_a_message() -> None:
    assert _error_keys() <= set(ENGLISH["exceptions"])


def test_every_error_can_be_shown_by_the_config_flow() -> None:
    own_answers = {"agent_aborted", "agent_failed"}
    assert _error_keys() - own_answers <= set(ENGLISH["config"]["error"])


def test_every_exception_raised_has_a_message() -> None:
    entity_keys = {
        key for platform in ENGLISH.get("entity", {}).values() for key in platform
    }
    used = _keyword_values("translation_key")
    assert used <= set(ENGLISH["exceptions"]) | entity_keys


def test_every_form_and_reason_is_translated() -> None:
    config = ENGLISH["config"]
    assert _keyword_values("progress_action") <= set(config["progress"])
    assert _table("flows/form_errors.py", "_BY_CODE") <= set(config["error"])
    in_config_flow = {"already_configured", "identity_unreadable", "wrong_gateway"}
    assert in_config_flow <= set(config["abort"])


@pytest.mark.parametrize("section", ["error", "abort", "progress", "step"])
def test_no_text_of_the_config_flow_is_left_over(section: str) -> None:
    used = {"already_in_progress"}.union(*map(_strings, FLOW))
    assert set(ENGLISH["config"][section]) <= used


def test_every_action_and_field_is_described() -> None:
    services = (COMPONENT / "services.yaml").read_text("utf-8")
    for action, texts in ENGLISH["services"].items():
        assert re.search(rf"^{action}:", services, re.MULTILINE)
        for field, text in texts["fields"].items():
            assert re.search(rf"^    {field}:", services, re.MULTILINE)
            assert text["name"]
            assert text["description"]


def test_english_texts_and_placeholders_are_well_formed() -> None:
    assert empty_texts(TEXTS) == []
    for key, text in TEXTS.items():
        assert PLACEHOLDER.sub("", text).isprintable() or "\n" in text, key
        assert "{" not in PLACEHOLDER.sub("", text), key


def unknown_keys(texts: Texts) -> list[str]:
    """Find keys that English does not have."""
    return [key for key in texts if key not in TEXTS]


def changed_placeholders(texts: Texts) -> list[str]:
    """Find texts with other placeholders than English."""
    return _changed(texts, PLACEHOLDER)


def changed_code(texts: Texts) -> list[str]:
    """Find texts with other code than English."""
    return _changed(texts, CODE)


def empty_texts(texts: Texts) -> list[str]:
    """Find texts that are empty or padded."""
    return [key for key, text in texts.items() if not text or text.strip() != text]


def _changed(texts: Texts, pattern: re.Pattern[str]) -> list[str]:
    return [
        key
        for key, text in texts.items()
        if sorted(pattern.findall(text)) != sorted(pattern.findall(TEXTS.get(key, "")))
    ]


RULES: dict[Rule, Texts] = {
    unknown_keys: {"config.steps": "Schritte"},
    changed_placeholders: {"title": "{name}"},
    changed_code: {"title": "`openclaw`"},
    empty_texts: {"title": ""},
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("language", languages())
def test_a_language_breaks_no_rule(language: str, rule: Rule) -> None:
    assert rule(texts_of(language)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert rule(RULES[rule])
    assert not rule(TEXTS)


def test_missing_translations_are_reported() -> None:
    english = {"title": "A", "config.step": "B", "config.abort": "C"}
    others = {"de": english, "es": {"title": "A", "config.step": "B"}, "fr": {}}
    assert list(report(english, others)) == [
        "es lacks 1 key: config.abort",
        "fr lacks 3 keys: title, config.step, config.abort",
    ]
