"""The arrows between modules point one way."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

from .sources import COMPONENT, GATEWAY, imports, modules, parse

# Each module of the client may use those of the layers above it, and its own.
LAYERS = (
    {"exceptions", "frames", "identity", "endpoint", "suspension"},
    {"catalogue", "models", "statistics", "reply_text", "transcript", "run_clock"}
    | {"setup_link", "tasks", "tool_steps"},
    {"credentials", "pending", "events", "agent_run", "backoff", "state"},
    {"agent_runs"},
    {"handshake"},
    {"upgrade", "connection"},
    {"recovery", "aborts", "survey"},
    {"link"},
    {"client"},
    {"__init__"},
)
BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "homeassistant":
            raise ImportError(name)

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
import gateway
print(gateway.GatewayClient.__name__)
"""
GLUE = [path for path in modules(COMPONENT) if GATEWAY not in path.parents]


def _is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _at_run_time(tree: ast.Module) -> ast.Module:
    body = [node for node in tree.body if not _is_type_checking(node)]
    return ast.Module(body, [])


def upward(module: str, tree: ast.Module) -> list[str]:
    """Return what a module of the client imports although it is above it."""
    order = {name: index for index, layer in enumerate(LAYERS) for name in layer}
    used = [name for level, name in imports(_at_run_time(tree)) if level == 1]
    return [name for name in used if order[name] > order[module]]


def foreign(tree: ast.AST) -> list[str]:
    """Return the imports of a client's module that leave the client."""
    return [
        name
        for level, name in imports(tree)
        if level > 1 or name.partition(".")[0] in {"homeassistant", "custom_components"}
    ]


def private_uses(tree: ast.AST) -> list[str]:
    """Return the private attributes that are taken from anything but `self`."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith(("__", "_attr_", "_async_"))
        and ast.unparse(node.value) not in {"self", "cls", "super()"}
    ]


def test_every_module_of_the_client_has_its_layer() -> None:
    known = {name for layer in LAYERS for name in layer}
    assert {path.stem for path in modules(GATEWAY)} == known


@pytest.mark.parametrize("path", modules(GATEWAY), ids=lambda path: path.stem)
def test_the_client_imports_downward_only(path: Path) -> None:
    tree = parse(path)
    assert upward(path.stem, tree) == []
    assert foreign(tree) == []


@pytest.mark.parametrize("path", GLUE, ids=lambda path: path.stem)
def test_glue_uses_no_private_attribute(path: Path) -> None:
    assert private_uses(parse(path)) == []


def test_the_client_works_without_home_assistant() -> None:
    found = subprocess.run(
        [sys.executable, "-c", BLOCKER, str(COMPONENT)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout.strip() == "GatewayClient"


def test_a_bad_example_of_each_rule_is_caught() -> None:
    assert upward("frames", ast.parse("from .client import GatewayClient"))
    assert not upward("client", ast.parse("from .frames import Event"))
    assert foreign(ast.parse("from ..const import DOMAIN"))
    assert foreign(ast.parse("from homeassistant.core import HomeAssistant"))
    assert private_uses(ast.parse("client._connection"))
    assert not private_uses(ast.parse("self._client, super()._client"))
