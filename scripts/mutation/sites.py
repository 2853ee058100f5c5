"""Cleanup statements of the component."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLEANUPS: Final = {
    "pop",
    "popitem",
    "clear",
    "discard",
    "remove",
    "unsubscribe",
    "cancel",
    "cancel_all",
    "close",
    "abort",
    "stop",
    "reset",
    "set_exception",
    "set_result",
    "fail",
    "fail_all",
    "release",
    "async_on_unload",
    "async_on_remove",
    "async_remove",
    "async_track",
    "callback",  # of an `ExitStack`
}


@dataclass(frozen=True)
class Site:
    """A cleanup statement; its lines count from 1."""

    path: Path
    name: str
    first: int
    last: int
    indent: int
    text: str

    def without(self) -> str:
        """Return the file's source without the statement."""
        lines = self.path.read_text("utf-8").splitlines()
        lines[self.first - 1 : self.last] = [f"{' ' * self.indent}pass"]
        return "\n".join(lines) + "\n"


def find_sites(folder: Path) -> list[Site]:
    """Return the cleanups below a folder."""
    return [
        _site(path, function, node)
        for path in sorted(folder.rglob("*.py"))
        for function, body in _functions(ast.parse(path.read_text("utf-8")))
        for node in ast.walk(body)
        if isinstance(node, ast.stmt) and _cleans_up(node)
    ]


def _functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the outermost functions, by qualified name."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield from _functions(child, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name, child


def _cleans_up(node: ast.stmt) -> bool:
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


def _site(path: Path, function: str, node: ast.stmt) -> Site:
    name = f"{path.parent.name}/{path.stem}.{function}"
    text = ast.unparse(node).partition("\n")[0]
    last = node.end_lineno or node.lineno
    return Site(path, name, node.lineno, last, node.col_offset, text)
