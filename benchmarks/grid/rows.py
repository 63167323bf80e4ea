"""The files of a grid: what is trained how (.json), a line for each training, and its bits.

A training's bits are written before its line, so a line has its bits whenever a crash comes. A
line without an end was cut short: it counts as not done, and the next line takes its place.
"""

import base64
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from search.config import Protocol
from space import Refusal
from studies import Epoch, Outcome

FOLDER = Path(__file__).parent
COLUMNS = (
    "architecture",
    "seed",
    "macs",
    "params",
    "accuracy",
    "unaveraged",
    "seconds",
    "train_loss",  # this and the next three: one number for each epoch
    "validation_loss",
    "epoch_accuracy",
    "epoch_seconds",
)
BIT_COLUMNS = ("architecture", "seed", "correct")
Key = tuple[str, int]
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class GridFiles:
    """Where the grid of a backbone is kept."""

    backbone: str
    folder: Path = FOLDER

    @property
    def facts(self) -> Path:
        """Return the file of the protocol, the machines and the command."""
        return self.folder / f"{self.backbone}.json"

    @property
    def rows(self) -> Path:
        """Return the file with a line for each training."""
        return self.folder / f"{self.backbone}.csv"

    @property
    def bits(self) -> Path:
        """Return the file of the validation images that each training gets right."""
        return self.folder / f"{self.backbone}_correct.csv"

    def protocol(self) -> Protocol:
        """Return how the grid is trained.

        Raises:
            Refusal: nothing says so yet.
        """
        if not self.facts.exists():
            raise Refusal(f"{self.facts} must hold the protocol: name one by --protocol FILE")
        return Protocol.model_validate(json.loads(self.facts.read_text())["protocol"])


def store(files: GridFiles, name: str, seed: int, curve: Sequence[Epoch], found: Outcome) -> None:
    """Append a finished training."""
    correct = base64.b64encode(found.correct).decode()
    _append(files.bits, BIT_COLUMNS, (name, str(seed), correct))
    unaveraged = "" if found.unaveraged is None else f"{found.unaveraged:.5g}"
    row = (
        *(name, str(seed), str(found.macs), str(found.params)),
        *(f"{found.accuracy:.5g}", unaveraged, f"{found.seconds:.2f}"),
        _numbers([one.train_loss for one in curve]),
        _numbers([one.validation_loss for one in curve]),
        _numbers([one.accuracy for one in curve]),
        " ".join(f"{one.seconds:.2f}" for one in curve),
    )
    _append(files.rows, COLUMNS, row)


def stored(files: GridFiles) -> dict[Key, Row]:
    """Return the whole lines, by architecture and seed."""
    return {(row["architecture"], int(row["seed"])): row for row in _read(files.rows)}


def stored_bits(files: GridFiles) -> dict[Key, bytes]:
    """Return the bits of the trainings, packed as in the database."""
    return {
        (row["architecture"], int(row["seed"])): base64.b64decode(row["correct"])
        for row in _read(files.bits)
    }


def curve_of(row: Row) -> tuple[Epoch, ...]:
    """Return the epochs of a line."""
    columns = [[float(one) for one in row[name].split()] for name in COLUMNS[-4:]]
    return tuple(Epoch(n, *values) for n, values in enumerate(zip(*columns, strict=True), 1))


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{one:.5g}" for one in values)


def _append(path: Path, columns: Sequence[str], values: Sequence[str]) -> None:
    whole = _whole_lines(path)
    with path.open("ab") as file:
        file.truncate(len(whole))
        lines = [values] if whole else [columns, values]
        file.write("".join(f"{','.join(line)}\n" for line in lines).encode())


def _read(path: Path) -> Iterator[Row]:
    yield from csv.DictReader(_whole_lines(path).decode().splitlines())


def _whole_lines(path: Path) -> bytes:
    """Return the file up to the end of its last whole line."""
    if not path.exists():
        return b""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]
