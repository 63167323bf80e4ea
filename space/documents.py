"""YAML and JSON files that people write, read strictly: bounded before they are parsed.

Both hold the same plain values: texts, numbers of 64 bits, truth values, lists and mappings. No
key stands twice. YAML's aliases, which let a short file hold any amount, are refused, as its tags.
"""

import json
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from .refusal import Refusal

MAX_BYTES = 100_000  # PyYAML reads 25,000 a second at worst; an architecture has about 1,000
MAX_DIGITS = 40  # characters of a number
MAX_NUMBER = 2**63
MAX_DEPTH = 50  # an architecture needs 5
TOO_DEEP = f"it must be nested at most {MAX_DEPTH} deep"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class DocumentError(ValueError):
    """The text is YAML or JSON, but not of the plain kind."""


class StrictLoader(yaml.SafeLoader):
    """The safe loader, without doubled keys, aliases, tags, dates and numbers beyond 64 bits."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's
        """Return the next value as a node."""
        event = self.peek_event()  # type: ignore[no-untyped-call] # PyYAML's
        if isinstance(event, yaml.AliasEvent):
            raise DocumentError(f"alias *{event.anchor} is not read; write out what it stands for")
        if event.tag is not None:
            raise DocumentError(f"tag {event.tag} is not read; leave it out")
        if self.depth == MAX_DEPTH:  # its scanner takes seconds for a thousand
            raise DocumentError(TOO_DEEP)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping."""
        named = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        _refuse_doubled(named)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return the number."""
        _refuse_long(node.value)
        return _bounded(super().construct_yaml_int(node))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return the number."""
        _refuse_long(node.value)  # 1:1:1: ... is a number in base 60 beyond any float
        return super().construct_yaml_float(node)


for _kind in ("int", "float"):
    StrictLoader.add_constructor(
        f"tag:yaml.org,2002:{_kind}", getattr(StrictLoader, f"construct_yaml_{_kind}")
    )
StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != TIMESTAMP]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# As YAML 1.2 has it; 1.1, which PyYAML reads, wants a point and a sign.
StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


class PlainDumper(yaml.SafeDumper):
    """The safe dumper, without the aliases that our loader refuses."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - PyYAML's
        """Say that no value is written as a reference to an earlier one."""
        del data
        return True


def read_document(path: Path) -> object:
    """Return what a file holds, by its suffix: .json is JSON, all else YAML.

    Raises:
        Refusal: no such file, too large a one, or none of this kind.
    """
    kind = "json" if path.suffix == ".json" else "yaml"
    content = _content(path)
    try:
        return parsed(content, path.suffix)
    except ValueError as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Refusal(f"{path} is no {kind} file: {first:.200}") from error


def parsed(content: bytes, suffix: str) -> object:
    """Return what a text holds, by the suffix of its file.

    Raises:
        ValueError: it is no such text, or not of the plain kind.
    """
    try:
        if suffix == ".json":
            value = json.loads(content, object_pairs_hook=_object, parse_int=_integer)
        else:
            value = yaml.load(content, Loader=StrictLoader)  # which builds on the safe one
        _refuse_odd(value)
    except yaml.YAMLError as error:
        raise ValueError(_in_words(error)) from error
    except RecursionError as error:  # long before that
        raise DocumentError(TOO_DEEP) from error
    return value


def dumped(document: Mapping[str, object], suffix: str) -> str:
    """Return the text of plain values, by the suffix of its file."""
    if suffix == ".json":
        return json.dumps(document, indent=2) + "\n"
    return yaml.dump(dict(document), Dumper=PlainDumper, sort_keys=False)


def _in_words(error: yaml.YAMLError) -> str:
    """Return what is wrong and where, as one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)


def _content(path: Path) -> bytes:
    """Return the bytes of a file of a sane size; a larger one is not read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # reading a pipe might wait for ever
            raise Refusal(f"{path} must be a plain file; name a .yaml or .json file")
        if found.st_size > MAX_BYTES:
            raise Refusal(
                f"{path} must have at most {MAX_BYTES} bytes, got {found.st_size}; name another"
            )
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror
        raise Refusal(f"cannot read {path}: {reason}; name a .yaml or .json file") from error


def _refuse_odd(value: object, left: int = MAX_DEPTH) -> None:
    """Refuse what is nested too deep, and half characters, which JSON can spell."""
    if not left:
        raise DocumentError(TOO_DEEP)
    if isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value):
        raise DocumentError(f"a text must be Unicode, got {value!r:.40}")
    if isinstance(value, dict | list):
        for one in (*value, *value.values()) if isinstance(value, dict) else value:
            _refuse_odd(one, left - 1)


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    _refuse_doubled([key for key, _ in pairs])
    return dict(pairs)


def _integer(text: str) -> int:
    _refuse_long(text)
    return _bounded(int(text))


def _bounded(number: int) -> int:
    if not -MAX_NUMBER <= number < MAX_NUMBER:
        raise DocumentError(f"a whole number must lie within 64 bits, got {number}")
    return number


def _refuse_long(text: str) -> None:
    if len(text) > MAX_DIGITS:
        raise DocumentError(
            f"a number must have at most {MAX_DIGITS} characters, got {text:.20}..."
        )


def _refuse_doubled(keys: Sequence[object]) -> None:
    found = set()
    for key in keys:
        if key in found:
            raise DocumentError(f"key {key} stands twice; remove one")
        found.add(key)
