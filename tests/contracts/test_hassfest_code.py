"""The set-up of the integration keeps the rules that hassfest checks."""

import ast
from collections.abc import Callable, Iterator

import pytest

from .sources import COMPONENT

SCHEMAS = {"CONFIG_SCHEMA", "PLATFORM_SCHEMA", "PLATFORM_SCHEMA_BASE"}

type Rule = Callable[[ast.Module], Iterator[str]]


def _defined(tree: ast.Module) -> set[str]:
    """Return the functions and variables of a module."""
    names = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def unvalidated(tree: ast.Module) -> Iterator[str]:
    """Find a set-up that does not say what of configuration.yaml it takes."""
    names = _defined(tree)
    if {"setup", "async_setup"} & names and not SCHEMAS & names:
        yield "CONFIG_SCHEMA"


def unconfigurable(tree: ast.Module) -> Iterator[str]:
    """Find a config flow whose entries nothing sets up."""
    yield from {"async_setup_entry"} - _defined(tree)


RULES: dict[Rule, str] = {
    unvalidated: "async def async_setup(hass, config): ...",
    unconfigurable: "async def async_setup(hass, config): ...",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_integration_breaks_no_rule(rule: Rule) -> None:
    source = (COMPONENT / "__init__.py").read_text("utf-8")
    assert not list(rule(ast.parse(source)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(ast.parse(RULES[rule])))
