"""Entity classes and descriptions, with inherited attributes."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .component import Component, calls


@dataclass(frozen=True)
class EntityClass:
    """Entity class of a platform, with inherited attributes."""

    platform: str
    name: str
    attributes: dict[str, ast.expr | None]

    @property
    def named_by_device(self) -> bool:
        """Whether the entity has the name of its device."""
        name = self.attributes.get("_attr_name", ast.Constant(value=""))
        return isinstance(name, ast.Constant) and name.value is None

    @property
    def translation_key(self) -> str | None:
        """Translation key, if the class sets it."""
        key = self.attributes.get("_attr_translation_key")
        return str(key.value) if isinstance(key, ast.Constant) else None


@dataclass(frozen=True)
class Description:
    """Entity description of a platform."""

    platform: str
    arguments: dict[str | None, ast.expr]

    @property
    def translation_key(self) -> str | None:
        """Translation key, if there is one."""
        key = self.arguments.get("translation_key")
        return str(ast.literal_eval(key)) if key else None


def entity_classes(component: Component) -> Iterator[EntityClass]:
    """Yield the entity classes of the platforms."""
    bases = {c.name: c for c in _classes(component.module("entity.py"))}
    for platform, tree in component.platforms.items():
        own = {**bases, **{c.name: c for c in _classes(tree)}}
        for node in _classes(tree):
            if any(base.endswith("Entity") for base in _bases(node)):
                yield EntityClass(platform, node.name, _inherited(node, own))


def descriptions(component: Component) -> Iterator[Description]:
    """Yield the entity descriptions of the platforms."""
    for platform, tree in component.platforms.items():
        for call in calls(tree):
            if call.name.endswith("Description"):
                yield Description(platform, call.keywords)


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _bases(node: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0] for base in node.bases]


def _inherited(
    node: ast.ClassDef, known: dict[str, ast.ClassDef]
) -> dict[str, ast.expr | None]:
    attributes: dict[str, ast.expr | None] = {}
    for base in reversed(_bases(node)):
        if base in known:
            attributes |= _inherited(known[base], known)
    return attributes | dict(_assigned(node))


def _assigned(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield the class attributes, instance attributes and properties."""
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=[target], value=value):
                yield ast.unparse(target).removeprefix("self."), value
            case ast.AnnAssign(target=target, value=value):
                yield ast.unparse(target).removeprefix("self."), value
            case ast.FunctionDef(name=name):
                yield name, None
