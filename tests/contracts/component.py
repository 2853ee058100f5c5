"""Source files of the component."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
import json
from typing import Any, NamedTuple

from .sources import COMPONENT, dotted

SUFFIXES = (".py", ".json", ".yaml")


class Call(NamedTuple):
    """A call and the names of its enclosing functions and classes."""

    inside: tuple[str, ...]
    name: str
    node: ast.Call

    @property
    def keywords(self) -> dict[str | None, ast.expr]:
        """Keyword arguments."""
        return {keyword.arg: keyword.value for keyword in self.node.keywords}


class Component:
    """Source files by their path below the component's folder."""

    def __init__(self, files: Mapping[str, str]) -> None:
        """Initialize with the text of each file."""
        self.files = files

    @property
    def glue(self) -> dict[str, ast.Module]:
        """Modules that use Home Assistant."""
        return {
            path: _parsed(text)
            for path, text in self.files.items()
            if path.endswith(".py") and not path.startswith("gateway/")
        }

    @property
    def platforms(self) -> dict[str, ast.Module]:
        """Module of each platform that is set up, by name."""
        names = {
            node.attr.lower()
            for node in ast.walk(self.module("__init__.py"))
            if isinstance(node, ast.Attribute) and dotted(node.value) == "Platform"
        }
        return {name: self.module(f"{name}.py") for name in sorted(names)}

    def module(self, path: str) -> ast.Module:
        """Return a module, empty if there is none."""
        return _parsed(self.files.get(path, ""))

    def json(self, path: str) -> dict[str, Any]:
        """Return the content of a JSON file."""
        return dict(json.loads(self.files.get(path, "{}")))

    @property
    def calls(self) -> Iterator[Call]:
        """Calls in the glue."""
        for tree in self.glue.values():
            yield from calls(tree)


def calls(tree: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[Call]:
    """Yield the calls in a tree, in source order."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from calls(node, (*inside, node.name))
                continue
            case ast.Call():
                yield Call(inside, ast.unparse(node.func), node)
        yield from calls(node, inside)


def real_component() -> Component:
    """Read the component of this repository."""
    return Component(
        {
            str(path.relative_to(COMPONENT)): path.read_text("utf-8")
            for path in COMPONENT.rglob("*")
            if path.suffix in SUFFIXES
        }
    )


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)
