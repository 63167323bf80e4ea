"""What may stand in a file that should hold an architecture or a protocol."""

import json
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.search.hostile.yard import SE

ARCHITECTURE = SE.model_dump(mode="json")
PROTOCOL = {
    "version": 1,
    "backbone": "resnet20",
    "dataset": "cifar10",
    "protocol": {"epochs": 12, "train_images": 20_000, "batch_size": 128, "learning_rate": 0.2},
    "evidence": {"tau": 0.5, "runs": [1, 2]},
}
# Of YAML's own words, those that have done harm to somebody.
TOKENS = ["&a ", "*a", "<<: ", "!!int ", "!!bool ", "!!timestamp ", "!!binary ", "!!set ", "!x "]
TOKENS += ["!!python/name:os.system ", "!!omap ", "[", "]", "{", "}", ": ", ", ", "- ", "? ", "\n"]
TOKENS += [
    "'",
    '"',
    "|\n",
    ">-\n",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "\t",
    "# ",
    "~",
    ".inf",
    ".nan",
]
TOKENS += ["0x", "0o7", "1:1", "1:1.5", "1e999", "2024-13-45", "yes", "=", "a", "backbone", "\0"]
TOKENS += ["\N{LINE SEPARATOR}", "\N{ZERO WIDTH NO-BREAK SPACE}", "\\ud800", "9" * 30, "[" * 200]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"]

WORDS = st.sampled_from(
    ["", "se", "residual", "all", "resnet18", "cifar10", "stage_end", "nan", "\ud800", "a\nb"]
)
NUMBERS = st.integers() | st.integers(-(2**70), 2**70) | st.floats() | st.just(10**400)
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=20)
KEYS = st.sampled_from([*ARCHITECTURE, *PROTOCOL, "kind", "attention", "position"]) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@st.composite
def mutated(draw: st.DrawFn, document: dict[str, Any]) -> Any:  # noqa: ANN401 - any document
    """Draw the document with one to three of its values changed, gone or doubled."""
    whole = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        place = whole
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys)) if keys else None
            if key is None or not isinstance(place[key], dict | list) or draw(st.booleans()):
                break
            place = place[key]
        if key is None:
            continue
        action = draw(st.sampled_from(["change", "remove", "add"]))
        if action == "change":
            place[key] = draw(VALUES)
        elif action == "remove":
            del place[key]
        elif isinstance(place, dict):
            place[draw(KEYS)] = draw(VALUES)
        else:
            place.append(draw(VALUES) if draw(st.booleans()) else place[key])
    return whole


def contents(document: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Draw the bytes of a file: changed documents most of all, then any YAML, then anything."""
    values = mutated(document) | VALUES | st.lists(VALUES, max_size=50)
    written = st.tuples(values, st.booleans(), st.sampled_from(ENCODINGS)).map(_written)
    tokens = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join).map(str.encode)
    deep = st.tuples(st.sampled_from(["[", '{"a":', "- ", "a: ", "? "]), st.integers(1, 40_000))
    nested = deep.map(lambda one: (one[0] * one[1])[:99_000].encode())
    cut = st.tuples(written, st.integers(0, 300)).map(lambda one: one[0][: one[1]])
    return st.one_of(written, written, tokens, cut, nested, st.binary(max_size=200))


def _written(drawn: tuple[Any, bool, str]) -> bytes:
    """Return the text of a value as JSON or YAML in an encoding, as far as that has its signs."""
    value, is_json, encoding = drawn
    if is_json:
        return json.dumps(value).encode(encoding, "replace")
    try:
        return yaml.dump(value, allow_unicode=True).encode(encoding, "replace")
    except ValueError:  # a number too long for Python to write
        return b"1" * 9_000
