"""The component as the rules of the quality scale read it: names and texts."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
import json
from typing import Any, NamedTuple

from .sources import COMPONENT, ROOT, dotted

PYPROJECT = "pyproject.toml"
TEXTS = (".py", ".json", ".yaml")


class Call(NamedTuple):
    """A call, and the names of the functions and classes around it."""

    inside: tuple[str, ...]
    name: str
    node: ast.Call

    @property
    def keywords(self) -> dict[str | None, ast.expr]:
        """Return what is passed by name."""
        return {keyword.arg: keyword.value for keyword in self.node.keywords}


class Component:
    """Files by their path below the component's folder."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Read what `files` hold."""
        self.files = files

    @property
    def glue(self) -> dict[str, ast.Module]:
        """Return the modules that know Home Assistant."""
        return {
            path: _parsed(text)
            for path, text in self.files.items()
            if path.endswith(".py") and not path.startswith("gateway/")
        }

    @property
    def client(self) -> dict[str, ast.Module]:
        """Return the modules of the client."""
        return {
            path: _parsed(text)
            for path, text in self.files.items()
            if path.endswith(".py") and path.startswith("gateway/")
        }

    @property
    def platforms(self) -> dict[str, ast.Module]:
        """Return the module of each platform that is set up, by its name."""
        names = {
            node.attr.lower()
            for node in ast.walk(self.module("__init__.py"))
            if isinstance(node, ast.Attribute) and dotted(node.value) == "Platform"
        }
        return {name: self.module(f"{name}.py") for name in sorted(names)}

    def module(self, path: str) -> ast.Module:
        """Return a module; one that is not there is empty."""
        return _parsed(self.files.get(path, ""))

    def json(self, path: str) -> dict[str, Any]:
        """Return what is in a JSON file."""
        return dict(json.loads(self.files.get(path, "{}")))

    def without(self, *functions: str) -> Iterator[str]:
        """Yield which of these functions and methods the glue has not."""
        nodes = [node for tree in self.glue.values() for node in ast.walk(tree)]
        kinds = ast.FunctionDef | ast.AsyncFunctionDef
        names = {node.name for node in nodes if isinstance(node, kinds)}
        yield from (name for name in functions if name not in names)

    @property
    def calls(self) -> Iterator[Call]:
        """Yield the calls in the glue."""
        for tree in self.glue.values():
            yield from calls(tree)


def calls(tree: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[Call]:
    """Yield the calls in a tree, in the order of the source."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from calls(node, (*inside, node.name))
                continue
            case ast.Call():
                yield Call(inside, ast.unparse(node.func), node)
        yield from calls(node, inside)


def real_component() -> Component:
    """Read the component of this repository, and its project file."""
    files = {
        str(path.relative_to(COMPONENT)): path.read_text("utf-8")
        for path in COMPONENT.rglob("*")
        if path.suffix in TEXTS
    }
    return Component({**files, PYPROJECT: (ROOT / PYPROJECT).read_text("utf-8")})


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)
