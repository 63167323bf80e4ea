"""The trained grid as data: each architecture with its cost and its trainings. Needs no torch."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from space import Architecture, Cost, Refusal, cost, digest
from studies import Epoch

from .rows import GridFiles, Row, curve_of, stored, stored_bits
from .subspace import OPTIONS, architectures, num_options

NUM_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One training: what it ended with, its epochs, and which validation images it gets right."""

    seed: int
    accuracy: float
    unaveraged: float | None
    seconds: float
    curve: tuple[Epoch, ...]
    correct: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An architecture of the grid with its trainings, in the order of their seeds."""

    name: str
    architecture: Architecture
    digest: str
    cost: Cost
    runs: tuple[Run, ...]

    @property
    def mean(self) -> float:
        """Return the mean accuracy of all its trainings."""
        return sum(one.accuracy for one in self.runs) / len(self.runs)

    @property
    def epoch_seconds(self) -> float:
        """Return what an epoch takes: that of the quickest training, the others shared a core."""
        return min(one.seconds / len(one.curve) for one in self.runs)


@dataclass(frozen=True)
class Grid:
    """Architectures of the sub-space, in the order in which they are trained."""

    backbone: str
    entries: tuple[Entry, ...]

    @cached_property
    def named(self) -> dict[str, Entry]:
        """Return the entries by their names."""
        return {one.name: one for one in self.entries}

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Return the options that some architecture has, in their order."""
        return OPTIONS[: max((num_options(one.name) for one in self.entries), default=0)]

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits of all outcomes."""
        rows = [(one.name, run.seed, run.accuracy) for one in self.entries for run in one.runs]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]

    def complete(self, options: int, num_seeds: int = NUM_SEEDS) -> "Grid | None":
        """Return the sub-grid of the first options; None if a training of it is missing."""
        wanted = architectures(self.backbone, options)
        found = [self.named.get(name) for name in wanted]
        whole = tuple(one for one in found if one is not None and len(one.runs) >= num_seeds)
        return Grid(self.backbone, whole) if len(whole) == len(wanted) else None

    def largest(self) -> "Grid | None":
        """Return the largest sub-grid that is complete, of two options at least."""
        wholes = (self.complete(options) for options in range(len(OPTIONS), 1, -1))
        return next((one for one in wholes if one is not None), None)


def load(files: GridFiles) -> Grid:
    """Return what the files hold.

    Raises:
        Refusal: a line is of another network than its name has today.
    """
    bits, runs = stored_bits(files), dict[str, list[Run]]()
    known = architectures(files.backbone)
    for (name, seed), row in sorted(stored(files).items()):
        _refuse_other_network(known[name], row)
        runs.setdefault(name, []).append(_run(row, bits[name, seed]))
    entries = (
        Entry(name, one, digest(one), cost(one), tuple(runs[name]))
        for name, one in known.items()
        if name in runs
    )
    return Grid(files.backbone, tuple(entries))


def _run(row: Row, correct: bytes) -> Run:
    unaveraged = float(row["unaveraged"]) if row["unaveraged"] else None
    accuracy, seconds = float(row["accuracy"]), float(row["seconds"])
    return Run(int(row["seed"]), accuracy, unaveraged, seconds, curve_of(row), correct)


def _refuse_other_network(architecture: Architecture, row: Row) -> None:
    now, then = cost(architecture), Cost(int(row["macs"]), int(row["params"]))
    if now != then:
        raise Refusal(
            f"{row['architecture']} in the grid must cost {now}, got {then}: train it again"
        )
