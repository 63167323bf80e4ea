"""The definitions that some names need, and no others, as one text that stands alone.

Of a class stays what runs when it is called: `gates` and what only it uses are for looking at a
network, not for running it.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from textwrap import wrap

from .sources import Place, Source, meaning, source_of

# Called by torch or by Python, whoever else does.
ALWAYS = ("forward", "reset_parameters")
ATTENTION = Place("backbones.attention.gate", "AttentionModule")  # stands for torch's own class
# Sections with a heading: what the papers are, and what the letters of the shapes mean.
HEADED = ("backbones.attention.", "backbones.block")
WIDTH = 97  # of a heading, beside its mark


@dataclass(frozen=True)
class Definition:
    """One definition of a module: its node, and the methods that stay behind."""

    place: Place
    node: ast.stmt
    unused: tuple[ast.stmt, ...]

    def parts(self) -> Iterator[ast.AST]:
        """Yield every node of what is taken."""
        dropped = {id(one) for one in self.unused}
        pending: list[ast.AST] = [self.node]
        while pending:
            node = pending.pop()
            yield node
            pending += (one for one in ast.iter_child_nodes(node) if id(one) not in dropped)

    @cached_property
    def needs(self) -> frozenset[Place]:
        """What its names mean, wherever that is defined."""
        names = {one.id for one in self.parts() if isinstance(one, ast.Name)}
        found = {meaning(self.place.module, name) for name in names} - {self.place, ATTENTION}
        return frozenset(place for place in found if place is not None)


def excerpt(roots: Iterable[Place]) -> str:
    """Return imports and definitions; each comes before what needs it.

    Raises:
        RuntimeError: two definitions share a name.
    """
    found = _in_order(_taken(list(roots)))
    _refuse_doubled(found)
    sections = [_section(module, list(own)) for module, own in groupby(found, _module)]
    return "\n\n\n".join([_imports(found), *sections])


def _taken(roots: list[Place]) -> dict[Place, Definition]:
    """Return what the roots need, found again until no further method is called."""
    called: frozenset[str] = frozenset()
    while True:
        found: dict[Place, Definition] = {}
        pending = list(roots)
        while pending:
            place = pending.pop()
            if place in found:
                continue
            one = _definition(place, called)
            found[place] = one
            pending += sorted(need for need in one.needs if need.is_own)
        now = frozenset(name for one in found.values() for name in _called_of_others(one))
        if now == called:
            return found
        called = now


def _definition(place: Place, called: frozenset[str]) -> Definition:
    node = source_of(place.module).definitions[place.name]
    if not isinstance(node, ast.ClassDef):
        return Definition(place, node, ())
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    kept = {name for name in methods if name.startswith("__") or name in (*ALWAYS, *called)}
    pending = list(kept)
    while pending:
        own = {name for name, is_own in _attributes(methods[pending.pop()]) if is_own}
        pending += (own & methods.keys()) - kept
        kept |= own & methods.keys()
    return Definition(place, node, tuple(methods[name] for name in methods if name not in kept))


def _called_of_others(one: Definition) -> set[str]:
    """Return the attributes that it asks other objects for, and those that subclasses define."""
    abstract = {
        node.name
        for node in one.parts()
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == "abstractmethod" for d in node.decorator_list)
    }
    asked = {name for part in one.parts() for name, is_own in _attribute(part) if not is_own}
    return abstract | asked


def _attributes(node: ast.AST) -> Iterator[tuple[str, bool]]:
    for part in ast.walk(node):
        yield from _attribute(part)


def _attribute(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield the name of an attribute, and whether it is asked of `self`."""
    if isinstance(node, ast.Attribute):
        yield node.attr, isinstance(node.value, ast.Name) and node.value.id == "self"


def _in_order(found: dict[Place, Definition]) -> list[Definition]:
    """Return whole modules one after the other, each behind those that it needs."""
    modules: list[str] = []

    def add(module: str) -> None:
        if module in modules:
            return
        own = [one for place, one in found.items() if place.module == module]
        needed = {need.module for one in own for need in one.needs if need.is_own}
        for other in sorted(needed - {module}):
            add(other)
        modules.append(module)

    for place in found:
        add(place.module)
    return sorted(
        found.values(), key=lambda one: (modules.index(one.place.module), one.node.lineno)
    )


def _module(one: Definition) -> str:
    return one.place.module


def _section(module: str, definitions: Sequence[Definition]) -> str:
    """Return a module's definitions, with what its first line says as a comment above them."""
    source = source_of(module)
    texts = [_text(source, one) for one in definitions]
    if module.startswith(HEADED):
        texts.insert(0, _heading(source.docstring))
    return "\n\n\n".join(texts)


def _heading(docstring: str) -> str:
    """Return it as a comment; each of its entries, as `Source: ...`, begins a line."""
    entries = re.split(r"\n(?=\n|[A-Z][a-z ]+: )", docstring)
    lines = (line for one in entries for line in wrap(one, WIDTH) or [""])
    return "\n".join(f"# {line}".rstrip() for line in lines)


def _text(source: Source, one: Definition) -> str:
    return source.text(one.node, without=one.unused).replace(ATTENTION.name, "nn.Module")


def _imports(found: Sequence[Definition]) -> str:
    """Return the imports of what is not defined here: Python's own, then torch's."""
    needed = {need for one in found for need in one.needs if not need.is_own}
    lines: dict[bool, list[str]] = {False: [], True: []}
    for module, places in groupby(sorted(needed), key=lambda place: place.module):
        names = sorted((place.name for place in places), key=_as_sorted)
        is_torch = module.partition(".")[0] == "torch"
        if "" in names:
            lines[is_torch].append(f"import {module}")
        if any(names):
            lines[is_torch].append(f"from {module} import {', '.join(filter(None, names))}")
    ordered = (sorted(one, key=lambda line: line.startswith("from")) for one in lines.values())
    return "\n\n".join("\n".join(one) for one in ordered if one)


def _as_sorted(name: str) -> tuple[int, str]:
    """Put constants before classes and these before functions, as ruff does."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def _refuse_doubled(found: Sequence[Definition]) -> None:
    names: dict[str, Place] = {}
    for one in found:
        other = names.setdefault(one.place.name, one.place)
        if other != one.place:
            raise RuntimeError(
                f"names must differ to stand in one file, got {one.place.name} in "
                f"{other.module} and {one.place.module}; rename one"
            )
