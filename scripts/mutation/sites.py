"""The places where something is cleaned up, and what they look like without it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .mutants import functions_of, name_of

CLEANUPS: Final = frozenset(
    (
        *("pop", "popitem", "clear", "discard", "remove", "unsubscribe"),
        *("cancel", "cancel_all", "close", "abort", "stop", "reset"),
        *("set_exception", "set_result", "fail", "fail_all", "release"),
        *("async_on_unload", "async_on_remove", "async_remove", "async_track"),
    )
)


@dataclass(frozen=True)
class Site:
    """A statement that cleans up: its place, its lines from 1, and its text."""

    path: Path
    name: str
    first: int
    last: int
    indent: int
    text: str

    def without(self) -> str:
        """Return the source of the file with the statement taken away."""
        lines = self.path.read_text("utf-8").splitlines()
        lines[self.first - 1 : self.last] = [f"{' ' * self.indent}pass"]
        return "\n".join(lines) + "\n"


def find_sites(folder: Path) -> list[Site]:
    """Return the places in the modules of a folder and below it."""
    return [
        _site(path, name_of(path, function), node)
        for path in sorted(folder.rglob("*.py"))
        for function, body in functions_of(ast.parse(path.read_text("utf-8")))
        for node in _cleanups(body)
    ]


def _cleanups(tree: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and _cleans_up(node):
            yield node


def _cleans_up(node: ast.stmt) -> bool:
    """Return whether a statement lets go of something."""
    match node:
        case ast.Delete():
            return True
        case (
            ast.Expr(value=ast.Call() as call)
            | ast.Expr(value=ast.Await(value=ast.Call() as call))
        ):
            return _name(call.func) in CLEANUPS
        case ast.Assign(
            targets=[ast.Attribute(attr=attr)], value=ast.Constant(value=None)
        ):
            return attr.startswith("_")
    return False


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.removeprefix("_")
    return ""


def _site(path: Path, name: str, node: ast.stmt) -> Site:
    text = ast.unparse(node).partition("\n")[0]
    last = node.end_lineno or node.lineno
    return Site(path, name, node.lineno, last, node.col_offset, text)
