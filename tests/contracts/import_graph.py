"""Imports between the modules of the component.

A module is named by its path below the component, as `gateway.client`; a package's
own is `gateway.__init__`. Imports under `TYPE_CHECKING` and in functions count.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import NamedTuple

from .sources import COMPONENT, modules

PACKAGE = ["custom_components", COMPONENT.name]

type Sources = Mapping[str, str]


class Import(NamedTuple):
    """Import of one module by another."""

    importer: str
    imported: str

    def __str__(self) -> str:
        """Return the import for the message of a failure."""
        return f"{self.importer} imports {self.imported}"

    @property
    def folder(self) -> str:
        """Deepest folder that holds both modules."""
        return ".".join(self.importer.split(".")[: self._depth])

    @property
    def siblings(self) -> tuple[str, str]:
        """Modules or packages of the folder, importer first."""
        return (
            self.importer.split(".")[self._depth],
            self.imported.split(".")[self._depth],
        )

    @property
    def _depth(self) -> int:
        paths = zip(self.importer.split("."), self.imported.split("."), strict=False)
        return [importer == imported for importer, imported in paths].index(False)


@dataclass(frozen=True)
class Layers:
    """Order of the modules and packages of a folder, lowest line first.

    A name may import the names of the lines before its own, and those of its own
    line only as one of `pairs`. The line `*` holds all names without a line.
    """

    folder: str
    lines: tuple[str, ...]
    pairs: tuple[str, ...] = ()

    def line(self, name: str) -> int | None:
        """Return the line of a name, None if there is none."""
        for number, names in enumerate(self.lines):
            if name in names.split():
                return number
        return self.lines.index("*") if "*" in self.lines else None

    def allow(self, importer: str, imported: str) -> bool:
        """Return whether one name may import another."""
        upper, lower = self.line(importer), self.line(imported)
        if upper is None or lower is None:
            return False
        return lower < upper or f"{importer} -> {imported}" in self.pairs


def component_sources() -> Sources:
    """Read the modules of the component."""
    return {
        ".".join(path.relative_to(COMPONENT).with_suffix("").parts): path.read_text(
            "utf-8"
        )
        for path in modules(COMPONENT)
    }


def internal_imports(sources: Sources) -> set[Import]:
    """Return the imports between the modules."""
    return {
        Import(module, imported)
        for module, source in sources.items()
        for node in ast.walk(ast.parse(source))
        for imported in _resolved(module, node, sources)
        if imported != module
    }


def wrong_imports(layers: Layers, sources: Sources) -> list[str]:
    """Return the imports that the layers do not allow."""
    return sorted(
        str(item)
        for item in internal_imports(sources)
        if item.folder == layers.folder and not layers.allow(*item.siblings)
    )


def cycles(sources: Sources) -> list[str]:
    """Return an import cycle of each folder that has one.

    The cycle of a folder is one of its modules and packages, so a cycle of modules
    shows in the folder that holds all of them.
    """
    folders: dict[str, dict[tuple[str, str], Import]] = {}
    for item in sorted(internal_imports(sources)):
        folders.setdefault(item.folder, {})[item.siblings] = item
    return [cycle for examples in folders.values() for cycle in _cycle(examples)]


def _cycle(examples: Mapping[tuple[str, str], Import]) -> Iterator[str]:
    graph = TopologicalSorter[str]()
    for importer, imported in examples:
        graph.add(importer, imported)
    try:
        graph.prepare()
    except CycleError as err:
        # The names are in the order of their execution: the imported one comes first.
        steps = pairwise(reversed(err.args[1]))
        yield ", ".join(str(examples[step]) for step in steps)


def _resolved(module: str, node: ast.AST, sources: Sources) -> Iterator[str]:
    """Yield the modules that a statement imports."""
    match node:
        case ast.Import(names=aliases):
            targets = [alias.name.split(".") for alias in aliases]
        case ast.ImportFrom(module=path, names=aliases, level=level):
            here = [*PACKAGE, *module.split(".")]
            base = here[:-level] if level else []
            base += path.split(".") if path else []
            targets = [[*base, alias.name] for alias in aliases]
        case _:
            return
    for target in targets:
        if target[: len(PACKAGE)] == PACKAGE:
            yield from _module_of(target[len(PACKAGE) :], sources)


def _module_of(target: list[str], sources: Sources) -> Iterator[str]:
    """Yield the module of a target: the target itself, or its parent."""
    for parts in (target, target[:-1]):
        for name in (".".join(parts), ".".join([*parts, "__init__"])):
            if name in sources:
                yield name
                return
