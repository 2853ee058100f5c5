"""The tests keep clear of the known pitfalls of asynchronous testing."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .sources import ROOT, dotted, imports, modules, parse

TESTS = ROOT / "tests"
LAYERS = [
    TESTS / name
    for name in ("unit", "stateful", "ha", "contracts", "gateway_e2e", "browser_e2e")
]
SOURCES = [path for layer in LAYERS for path in modules(layer)]

# What paces a model or a network or waits for a process is no test.
MAY_SLEEP = {"model.py", "relay.py", "gateways.py", "editions.py", "install.py"}

type Rule = Callable[[ast.AST], Iterator[str]]


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func), node


def sleeps(tree: ast.AST) -> Iterator[str]:
    """Find sleeps that last; a test waits for what it waits for."""
    for name, call in _calls(tree):
        zero = [ast.unparse(argument) for argument in call.args] == ["0"]
        if name in {"asyncio.sleep", "time.sleep", "sleep"} and not zero:
            yield name


def chances(tree: ast.AST) -> Iterator[str]:
    """Find what differs from run to run."""
    yield from (name for _, name in imports(tree) if name == "random")


def doubles_of_asyncio(tree: ast.AST) -> Iterator[str]:
    """Find patches of asyncio, by name or by object."""
    for name, call in _calls(tree):
        if name.endswith(("setattr", "patch", "patch.object")) and call.args:
            target = ast.unparse(call.args[0]).strip("'\"")
            if target.partition(".")[0] == "asyncio":
                yield f"{name}({target})"


def shared_async_fixtures(tree: ast.AST) -> Iterator[str]:
    """Find asynchronous fixtures that live in another loop than their tests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if "fixture" in (text := ast.unparse(decorator)) and "scope=" in text:
                    yield node.name


def asyncio_markers(tree: ast.AST) -> Iterator[str]:
    """Find markers that the automatic mode makes needless."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node).endswith("mark.asyncio"):
            yield dotted(node)


def lingering(tree: ast.AST) -> Iterator[str]:
    """Find what lets a test leave something behind."""
    for node in ast.walk(tree):
        names = [node.name] if isinstance(node, ast.FunctionDef) else []
        names += [node.arg] if isinstance(node, ast.arg) else []
        yield from (name for name in names if name.startswith("expected_lingering"))


RULES: dict[Rule, str] = {
    sleeps: "await asyncio.sleep(0.1)",
    chances: "import random",
    doubles_of_asyncio: "monkeypatch.setattr(asyncio, 'sleep', fake)",
    shared_async_fixtures: "@pytest.fixture(scope='module')\nasync def x(): ...",
    asyncio_markers: "@pytest.mark.asyncio\nasync def test_x(): ...",
    lingering: "def expected_lingering_tasks(): ...",
}


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: f"{path.parent.stem}.{path.stem}"
)
def test_a_module_of_the_tests_breaks_no_rule(path: Path) -> None:
    tree = parse(path)
    found = {
        rule.__name__: list(rule(tree))
        for rule in RULES
        if not (rule is sleeps and path.name in MAY_SLEEP)
    }
    assert not {name: uses for name, uses in found.items() if uses}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_bad_example_of_each_rule_is_caught(rule: Rule) -> None:
    assert list(rule(ast.parse(RULES[rule])))
    assert not list(rule(ast.parse("await asyncio.sleep(0)")))


def test_the_unit_layer_does_without_home_assistant() -> None:
    users = [
        path.name
        for path in modules(TESTS / "unit")
        for _, name in imports(parse(path))
        if name.partition(".")[0] == "homeassistant"
    ]
    assert users == []
