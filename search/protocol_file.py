"""Protocol files: how networks are trained, as `search pilot` writes it and `search run` reads it.

    version: 1
    backbone: resnet20      # what it was measured on, may be left out; so may the data set
    dataset: cifar10
    protocol: {epochs: 12, train_images: 20000, batch_size: 128, learning_rate: 0.2}
    evidence: {}            # what it was chosen by; read by people only

Any field of a protocol but its precision may stand in it: that is the machine's. Values are
numbers, never texts, but for the recipe; no key may stand twice.
"""

import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from space import BackboneName, Refusal
from space.architecture import first_problem
from space.documents import dumped, read_document
from space.files import SUFFIXES, suffix_of

from .config import Dataset, Protocol

VERSION = 1
ELSEWHERE = {"dataset": "beside `protocol`", "precision": "the machine's; leave it out"}
NUMBERS = (int, float, type(None))
WORDS = ("recipe",)  # the fields that are none
# What the rules of one field are tried with, where the file leaves the others open.
OTHERS = {"dataset": "cifar10", "train_images": 10, "epochs": 1, "batch_size": 2}


class Document(BaseModel):
    """What a protocol file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    backbone: BackboneName | None = None
    dataset: Dataset | None = None
    protocol: dict[str, Any]
    evidence: Any = None  # ignored
    made_by: Any = None


class Tried(BaseModel):
    """A protocol under its key, so that what is wrong has its path in the file."""

    protocol: Protocol


def read_protocol(path: Path) -> dict[str, object]:
    """Return the settings of a study that the file gives.

    Raises:
        Refusal: no such file, not YAML or JSON, or a rule is broken; names the file and the path
            in it.
    """
    data = _document(path)
    if not isinstance(data, dict):
        raise Refusal(
            f"{path}: a protocol file holds keys and values, got {reprlib.repr(data):.40}"
        )
    _refuse_version(path, data)
    _refuse_unknown(path, "document", data, Document)
    try:
        found = Document.model_validate(data)
        own = found.model_dump(include={"backbone", "dataset"}, exclude_none=True)
        return {**own, **_checked(path, found)}
    except ValidationError as error:
        raise Refusal(f"{path}: {first_problem(error):.300}") from error


def with_protocol(path: Path | None, given: Mapping[str, object]) -> dict[str, object]:
    """Return the file's settings and, over them, the given ones.

    Raises:
        Refusal: the file breaks a rule, or was made for another backbone than is given.
    """
    own = read_protocol(path) if path is not None else {}
    made_for = own.get("backbone")
    if made_for is not None and given.get("backbone", made_for) != made_for:
        raise Refusal(
            f"{path} was measured on {made_for}, got backbone {given['backbone']}; "
            "make one for that with `search pilot`, or remove the file's backbone"
        )
    return {**own, **given}


def write_protocol(
    path: Path, protocol: Protocol, evidence: Mapping[str, object], *, backbone: str | None = None
) -> None:
    """Write the file, as JSON or YAML by its suffix; evidence holds plain values only."""
    document = {
        "version": VERSION,
        **({"backbone": backbone} if backbone else {}),
        "dataset": protocol.dataset,
        "protocol": protocol.model_dump(mode="json", exclude=set(ELSEWHERE)),
        "evidence": dict(evidence),
    }
    text = dumped(document, suffix_of(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _checked(path: Path, found: Document) -> dict[str, object]:
    """Return the protocol's values by the rules of their fields."""
    for name, value in found.protocol.items():
        if name in ELSEWHERE:
            raise Refusal(f"{path}: protocol.{name} must stand elsewhere: {ELSEWHERE[name]}")
        if name not in WORDS and type(value) not in NUMBERS:  # a bool is an int, too
            shown = reprlib.repr(value)
            raise Refusal(f"{path}: protocol.{name} must be a number without quotes, got {shown}")
    _refuse_unknown(path, "protocol", found.protocol, Protocol)
    dataset = {"dataset": found.dataset} if found.dataset else {}
    values = {**OTHERS, "learning_rate": 1.0, **dataset, **found.protocol}
    whole = Tried.model_validate({"protocol": values}).protocol
    return whole.model_dump(include=set(found.protocol))


def _refuse_version(path: Path, data: Mapping[Any, object]) -> None:
    """Refuse what no version of this program, or a newer one, wrote."""
    if "protocol" not in data:
        raise Refusal(
            f"{path}: protocol is missing; write, say, `protocol: {{epochs: 6}}`, or let "
            "`search pilot` make the file"
        )
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        shown = reprlib.repr(version) if "version" in data else "none"
        raise Refusal(
            f"{path}: version must be {VERSION}, which is what this program reads, got {shown}; "
            f"write `version: {VERSION}` for a file of this form, or update this program"
        )


def _refuse_unknown(
    path: Path, where: str, data: Mapping[Any, object], model: type[BaseModel]
) -> None:
    """Refuse a key that the model has no field for, with those it has."""
    known = [name for name in model.model_fields if where == "document" or name not in ELSEWHERE]
    for key in data:
        if key not in known:
            shown = str(key) if isinstance(key, str) else reprlib.repr(key)
            raise Refusal(
                f"{path}: {where}: unknown key {shown:.40}; the keys are {', '.join(known)}"
            )


def _document(path: Path) -> object:
    """Return what the file holds."""
    if path.suffix not in SUFFIXES:
        raise Refusal(f"--protocol must end in {', '.join(SUFFIXES)}, got {str(path)!r}")
    return read_document(path)
