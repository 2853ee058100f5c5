"""Every key that the code uses is translated, into every language, and is used."""

import ast
from collections.abc import Iterator
import re
from typing import Any

import pytest

from .sources import COMPONENT, parse, read_json

TRANSLATIONS = COMPONENT / "translations"
LANGUAGES = ("de", "es", "fr", "nl")
CODE = re.compile(r"```.+?```|`[^`]+`", re.DOTALL)
PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


def _read(language: str) -> dict[str, Any]:
    return read_json(TRANSLATIONS / f"{language}.json")


ENGLISH = _read("en")

FLOW = ("config_flow.py", "visit.py", "visit_steps.py", "flow_errors.py", "errors.py")


def _constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _strings(module: str) -> set[str]:
    return set(_constants(parse(COMPONENT / module)))


def _error_keys() -> set[str]:
    """Return the values of the table from error classes to keys."""
    return _table("errors.py", "_KEYS")


def _table(module: str, name: str) -> set[str]:
    """Return the strings among the values of a table."""
    [table] = (
        node.value
        for node in ast.walk(parse(COMPONENT / module))
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name
    )
    assert isinstance(table, ast.Dict)
    return {key for value in table.values for key in _constants(value)}


def _keyword_values(name: str) -> set[str]:
    """Return what is passed as keyword `name` anywhere, where it is a literal."""
    return {
        keyword.value.value
        for path in COMPONENT.rglob("*.py")
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == name
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def _leaves(node: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}")
    else:
        yield path, str(node)


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
    assert _table("flow_errors.py", "_BY_CODE") <= set(config["error"])
    in_config_flow = {"already_configured", "identity_unreadable", "wrong_gateway"}
    assert in_config_flow <= set(config["abort"])


@pytest.mark.parametrize("section", ["error", "abort", "progress", "step"])
def test_no_text_of_the_config_flow_is_left_over(section: str) -> None:
    used = {"already_in_progress"}.union(*map(_strings, FLOW))
    assert set(ENGLISH["config"][section]) <= used


@pytest.mark.parametrize("step", ENGLISH["config"]["step"])
def test_every_field_of_a_form_is_described(step: str) -> None:
    texts = ENGLISH["config"]["step"][step]
    assert texts["title"]
    for form in (texts, *texts.get("sections", {}).values()):
        assert set(form.get("data", {})) == set(form.get("data_description", {}))


def test_every_action_and_field_is_described() -> None:
    services = (COMPONENT / "services.yaml").read_text("utf-8")
    for action, texts in ENGLISH["services"].items():
        assert re.search(rf"^{action}:", services, re.MULTILINE)
        for field, text in texts["fields"].items():
            assert re.search(rf"^    {field}:", services, re.MULTILINE)
            assert text["name"]
            assert text["description"]


def test_placeholders_are_well_formed() -> None:
    for path, text in _leaves(ENGLISH):
        assert text.strip() == text != "", path
        assert PLACEHOLDER.sub("", text).isprintable() or "\n" in text, path
        assert "{" not in PLACEHOLDER.sub("", text), path


def _pairs(language: str) -> Iterator[tuple[str, str, str]]:
    """Yield each path with its English text and the one of a language."""
    texts = dict(_leaves(_read(language)))
    for path, english in _leaves(ENGLISH):
        yield path, english, texts[path]


def test_the_languages_are_those_that_are_checked() -> None:
    files = {path.name for path in TRANSLATIONS.iterdir()}
    assert files == {f"{language}.json" for language in ("en", *LANGUAGES)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_the_keys_of_english_in_their_order(language: str) -> None:
    keys = [path for path, _ in _leaves(_read(language))]
    assert keys == [path for path, _ in _leaves(ENGLISH)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pattern", [PLACEHOLDER, CODE], ids=["placeholder", "code"])
def test_a_language_keeps_what_is_no_prose(
    language: str, pattern: re.Pattern[str]
) -> None:
    for path, english, text in _pairs(language):
        assert sorted(pattern.findall(text)) == sorted(pattern.findall(english)), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_no_text_that_is_empty_or_far_longer(language: str) -> None:
    for path, english, text in _pairs(language):
        assert text.strip() == text != "", path
        assert len(text) <= 2.5 * len(english), path
