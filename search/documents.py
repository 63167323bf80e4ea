"""YAML and JSON texts of settings, read strictly: no key twice, and 5e-4 is a number in both."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml


class DoubledKeyError(ValueError):
    """A key stands twice, of which YAML and JSON would silently take the last."""

    def __init__(self, key: object) -> None:
        super().__init__(f"key {key} stands twice; remove one")


class StrictLoader(yaml.SafeLoader):
    """The safe loader, without doubled keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping."""
        named = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        _refuse_doubled(named)
        return super().construct_mapping(node, deep)


# As YAML 1.2 has it; 1.1, which PyYAML reads, wants a point and a sign.
StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def parsed(content: bytes, suffix: str) -> object:
    """Return what a text holds, by the suffix of its file.

    Raises:
        ValueError: it is no such text, or a key stands twice.
        RecursionError: it is nested too deep.
    """
    if suffix == ".json":
        return json.loads(content, object_pairs_hook=_object)
    try:
        return yaml.load(content, Loader=StrictLoader)  # which builds on the safe one
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def dumped(document: Mapping[str, object], suffix: str) -> str:
    """Return the text of plain values, by the suffix of its file."""
    if suffix == ".json":
        return json.dumps(document, indent=2) + "\n"
    return yaml.safe_dump(dict(document), sort_keys=False)


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    _refuse_doubled([key for key, _ in pairs])
    return dict(pairs)


def _refuse_doubled(keys: Sequence[object]) -> None:
    found = set()
    for key in keys:
        if key in found:
            raise DoubledKeyError(key)
        found.add(key)
