"""Architecture files: YAML for people, JSON for programs; both ways."""

import json
from pathlib import Path

import yaml
from pydantic import ValidationError

from .architecture import Architecture, first_problem
from .refusal import Refusal

SUFFIXES = (".yaml", ".yml", ".json")


def read_architecture(path: Path) -> Architecture:
    """Return the architecture in a YAML or JSON file.

    Raises:
        Refusal: no such file, not YAML or JSON, or a rule is broken; names the file and the path
            in it.
    """
    try:
        data = _parse(path)
        text = json.dumps(data, default=str)
    except Refusal:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise Refusal(f"cannot read {path}: {reason}; name an exported .yaml or .json") from error
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{path} holds a value that cannot be read: {_first_line(error)}") from error
    if not isinstance(data, dict):
        raise Refusal(f"{path}: an architecture file holds keys and values, got {data!r:.40}")
    try:
        return Architecture.model_validate_json(text)
    except ValidationError as error:
        raise Refusal(f"{path}: {first_problem(error)}") from error


def write_architecture(architecture: Architecture, path: Path, *, comment: str = "") -> None:
    """Write the file; the comment becomes the head of a YAML file and is left out of JSON."""
    if suffix_of(path) == ".json":
        text = json.dumps(architecture.model_dump(mode="json"), indent=2) + "\n"
    else:
        text = "".join(f"# {line}\n" for line in comment.splitlines()) + as_yaml(architecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def as_yaml(architecture: Architecture) -> str:
    """Return what a YAML file of the architecture holds."""
    return yaml.safe_dump(architecture.model_dump(mode="json"), sort_keys=False)


def suffix_of(path: Path) -> str:
    """Return the file's suffix.

    Raises:
        Refusal: it is none of .yaml, .yml and .json.
    """
    if path.suffix not in SUFFIXES:
        raise Refusal(f"a file name must end in {', '.join(SUFFIXES)}, got {path.name}")
    return path.suffix


def _parse(path: Path) -> object:
    suffix_of(path)
    text = path.read_text()
    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise Refusal(f"{path} is no {path.suffix[1:]} file: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
