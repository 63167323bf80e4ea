"""This project's own sources, read as text: what a module defines, and what its names mean."""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import resolve_name
from typing import NamedTuple

OWN = ("backbones", "space")


class Place(NamedTuple):
    """A name, and the module that defines it; no name is the module itself."""

    module: str
    name: str

    @property
    def is_own(self) -> bool:
        """Say whether one of this project's modules defines it."""
        return self.module.partition(".")[0] in OWN


@dataclass(frozen=True)
class Source:
    """One module: its lines, what its first line says, its definitions and its imports."""

    lines: tuple[str, ...]
    docstring: str
    definitions: Mapping[str, ast.stmt]
    imports: Mapping[str, Place]

    def text(self, node: ast.stmt, *, without: tuple[ast.stmt, ...] = ()) -> str:
        """Return a definition with the comments above it, less some of its own."""
        first, last = self._first(node), _last(node)
        left_out: set[int] = set()
        for part in without:
            # The blank line before it goes, too.
            left_out.update(range(self._first(part) - 1, _last(part)))
        kept = (number for number in range(first, last) if number not in left_out)
        return "\n".join(self.lines[number] for number in kept)

    def _first(self, node: ast.stmt) -> int:
        """Return the index of its first line, decorators and comments included."""
        decorators = getattr(node, "decorator_list", [])
        index: int = min([node.lineno, *(one.lineno for one in decorators)]) - 1
        while index and self.lines[index - 1].lstrip().startswith("#"):
            index -= 1
        return index


@cache
def source_of(module: str) -> Source:
    """Return what the module's file holds."""
    text = inspect.getsource(import_module(module))
    tree = ast.parse(text)
    return Source(
        lines=tuple(text.splitlines()),
        docstring=ast.get_docstring(tree) or "",
        definitions={name: node for node in tree.body for name in _defined(node)},
        imports={name: place for node in tree.body for name, place in _imported(node, module)},
    )


def meaning(module: str, name: str) -> Place | None:
    """Return where a name that the module uses is defined; None if it is a builtin or local."""
    source = source_of(module)
    if name in source.definitions:
        return Place(module, name)
    place = source.imports.get(name)
    if place is None or not place.is_own:
        return place
    return meaning(*place)  # a package's file only passes names on


def _last(node: ast.stmt) -> int:
    assert node.end_lineno is not None, "whatever is parsed from text has an end"
    return node.end_lineno


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        return [one.id for one in node.targets if isinstance(one, ast.Name)]
    return []


def _imported(node: ast.stmt, module: str) -> list[tuple[str, Place]]:
    if isinstance(node, ast.Import):
        return [(one.asname or one.name, Place(one.name, "")) for one in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    origin = resolve_name("." * node.level + (node.module or ""), _package(module))
    return [(one.asname or one.name, Place(origin, one.name)) for one in node.names]


def _package(module: str) -> str:
    found = import_module(module).__package__
    assert found is not None, "imported modules know their package"
    return found
