"""Architecture files: YAML for people, JSON for programs; both ways."""

import json
import reprlib
from pathlib import Path

from pydantic import ValidationError

from .architecture import Architecture, first_problem
from .documents import dumped, read_document
from .refusal import Refusal

SUFFIXES = (".yaml", ".yml", ".json")


def read_architecture(path: Path) -> Architecture:
    """Return the architecture in a YAML or JSON file.

    Raises:
        Refusal: no such file, not YAML or JSON, or a rule is broken; names the file and the path
            in it.
    """
    suffix_of(path)
    data = read_document(path)
    if not isinstance(data, dict):
        raise Refusal(
            f"{path}: an architecture file holds keys and values, got {reprlib.repr(data):.40}"
        )
    try:
        return Architecture.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise Refusal(f"{path}: {first_problem(error)}") from error


def write_architecture(architecture: Architecture, path: Path, *, comment: str = "") -> None:
    """Write the file; the comment becomes the head of a YAML file and is left out of JSON."""
    if suffix_of(path) == ".json":
        text = dumped(architecture.model_dump(mode="json"), ".json")
    else:
        text = "".join(f"# {line}\n" for line in comment.splitlines()) + as_yaml(architecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def as_yaml(architecture: Architecture) -> str:
    """Return what a YAML file of the architecture holds."""
    return dumped(architecture.model_dump(mode="json"), ".yaml")


def suffix_of(path: Path) -> str:
    """Return the file's suffix.

    Raises:
        Refusal: it is none of .yaml, .yml and .json.
    """
    if path.suffix not in SUFFIXES:
        raise Refusal(f"a file name must end in {', '.join(SUFFIXES)}, got {path.name}")
    return path.suffix
