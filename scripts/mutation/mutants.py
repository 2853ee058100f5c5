"""The mutants of the functions of a package."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Final

from .operators import negated, variants

AT_IMPORT: Final = ("args", "decorator_list", "returns", "annotation", "type_params")

type Statement = ast.stmt | ast.match_case

type Place = tuple[ast.AST, str, int | None]
"""A node, one of its fields, and the index in that field."""


@dataclass(frozen=True)
class Mutant:
    """One change in one function; lines are of the statement, from 1."""

    path: Path
    tree: ast.Module
    function: str
    lines: range
    place: Place
    replacement: ast.AST
    name: str

    @property
    def order(self) -> str:
        """Return what sorts mutants by chance, always the same."""
        return sha256(self.name.encode()).hexdigest()

    def compiled(self) -> CodeType:
        """Change the tree for good, and return the code of the function."""
        _put(self.place, self.replacement)
        code = compile(ast.fix_missing_locations(self.tree), str(self.path), "exec")
        return next(x for x in _codes(code) if x.co_qualname == self.function)


def find_mutants(folder: Path) -> list[Mutant]:
    """Return the mutants of a package, in an order by chance."""
    found = [x for path in sorted(folder.glob("*.py")) for x in _of_module(path)]
    return sorted(found, key=lambda mutant: mutant.order)


def _of_module(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text("utf-8"))
    count: Counter[str] = Counter()
    for function, node in functions_of(tree):
        for statement, place, old, new in _changes(node):
            text = f"`{_text(statement, None, old)}` → `{_text(statement, place, new)}`"
            name = f"{name_of(path, function)}: {text}"
            count[name] += 1
            lines = _lines(statement)
            unique = f"{name} ({count[name]})" if count[name] > 1 else name
            yield Mutant(path, tree, function, lines, place, new, unique)


def name_of(path: Path, function: str) -> str:
    """Return what a function of a module is called in the tables."""
    return f"{path.parent.name}/{path.stem}.{function}"


def functions_of(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Return the outermost functions, by qualified name."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield from functions_of(child, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name not in ("__repr__", "__str__"):
                    yield prefix + name, child


type _Change = tuple[Statement, Place, ast.AST, ast.AST]


def _changes(function: ast.AST) -> Iterator[_Change]:
    for statement, place in _places(function, None):
        node = _get(place)
        for new in variants(node):
            yield statement, place, node, new
        if place[1] in ("test", "ifs", "guard") and isinstance(node, ast.expr):
            yield statement, place, node, negated(node)


def _places(
    node: ast.AST, statement: Statement | None
) -> Iterator[tuple[Statement, Place]]:
    for field, value in ast.iter_fields(node):
        if field in AT_IMPORT and not isinstance(node, ast.Call):
            continue
        items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in items:
            if not isinstance(child, ast.AST) or _left_out(child):
                continue
            inner = child if isinstance(child, ast.stmt | ast.match_case) else statement
            if inner is not None:
                yield inner, (node, field, index)
            yield from _places(child, inner)


def _left_out(node: ast.AST) -> bool:
    """Return whether nobody should test it: texts for people, and assertions."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.JoinedStr():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="_LOGGER" | "LOGGER"))):
            return True
        case ast.Expr(value=ast.Call() as call):
            return _left_out(call)
        case ast.Constant(value=str(text)):
            return " " in text
    return False


def _get(place: Place) -> ast.AST:
    node, field, index = place
    value = getattr(node, field)
    found: ast.AST = value if index is None else value[index]
    return found


def _put(place: Place, new: ast.AST) -> None:
    node, field, index = place
    if index is None:
        setattr(node, field, new)
    else:
        getattr(node, field)[index] = new


def _text(statement: Statement, place: Place | None, node: ast.AST) -> str:
    """Return the first line of a statement, with a node put in its place."""
    if place is None:
        return ast.unparse(statement).partition("\n")[0]
    if isinstance(node, ast.stmt):
        return ast.unparse(node).partition("\n")[0]
    old = _get(place)
    _put(place, node)
    try:
        return ast.unparse(statement).partition("\n")[0]
    finally:
        _put(place, old)


def _lines(statement: Statement) -> range:
    """Return the lines of a statement, or of the head of a compound one."""
    match statement:
        case ast.If(test=head) | ast.While(test=head) | ast.Match(subject=head):
            last = head.end_lineno
        case ast.match_case(pattern=head):
            return range(head.lineno, head.end_lineno + 1)
        case ast.For() | ast.AsyncFor() | ast.With() | ast.AsyncWith() | ast.Try():
            last = statement.body[0].lineno
        case _:
            last = statement.end_lineno
    return range(statement.lineno, (last or statement.lineno) + 1)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)
