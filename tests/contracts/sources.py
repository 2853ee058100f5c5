"""Sources that the contracts read."""

import ast
from collections.abc import Iterator
from functools import cache
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components" / "clawd"
GATEWAY = COMPONENT / "gateway"


def modules(folder: Path) -> list[Path]:
    """Return the modules below a folder."""
    return sorted(folder.rglob("*.py"))


@cache
def parse(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file."""
    return dict(json.loads(path.read_text("utf-8")))


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a tree."""
    return tuple(ast.walk(tree))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the level and the module of each import; level 0 is absolute."""
    for node in nodes(tree):
        match node:
            case ast.Import(names):
                yield from ((0, alias.name) for alias in names)
            case ast.ImportFrom(module, names, level) if module is None:
                yield from ((level, alias.name) for alias in names)
            case ast.ImportFrom(module, _, level):
                yield level, module or ""


@cache
def dotted(node: ast.AST) -> str:
    """Return a dotted name, or nothing for other expressions."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
