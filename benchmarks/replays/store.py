"""Replays that are done, one JSON line each, so that a comparison goes on where it ended."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from ..grid.grid import Grid, load
from ..grid.rows import GridFiles
from .draws import Draws, Scale
from .play import Optimism, Played, Trial, play
from .table import METHODS


class Keyed(Protocol):
    """A replay to do, on whatever ground."""

    @property
    def method(self) -> str:
        """Return the name of its method."""

    @property
    def replay(self) -> int:
        """Return its number."""

    def key(self) -> str:
        """Return what decides its result, the code apart."""


Some = TypeVar("Some", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Task:
    """A replay to do on the grid."""

    files: GridFiles
    options: int
    fingerprint: str  # of the grid
    cost_name: str
    horizon: int
    method: str
    replay: int

    def key(self) -> str:
        """Return what decides its result, the code apart."""
        facts = (self.fingerprint, self.cost_name, self.horizon, self.method, self.replay)
        return json.dumps(facts)


def do(task: Task) -> Played:
    """Do the replay."""
    grid = _grid(task.files, task.options)
    scale = Scale(grid, task.cost_name)
    method = METHODS[task.method](scale, task.replay)
    return play(task.method, method, Draws(grid, task.replay), scale, task.horizon)


@lru_cache(maxsize=1)
def _grid(files: GridFiles, options: int) -> Grid:
    found = load(files).complete(options)
    assert found is not None, "a replay is of a whole grid"
    return found


def store(path: Path | None, task: Keyed, played: Played) -> None:
    """Append the replay to the file's whole lines."""
    if path is not None:
        with path.open("ab") as file:
            file.truncate(len(_whole_lines(path)))
            file.write(f"{json.dumps([task.key(), asdict(played)])}\n".encode())


def stored(path: Path | None, tasks: Iterable[Some]) -> dict[Some, Played]:
    """Return what the file knows of these replays; the last line of each counts."""
    lines = [json.loads(line) for line in _whole_lines(path).splitlines()]
    known = dict(lines)
    return {task: played_of(known[task.key()]) for task in tasks if task.key() in known}


def played_of(row: dict[str, object]) -> Played:
    """Return a replay out of its line."""
    trials, scores, optimism = row["trials"], row["scores"], row["optimism"]
    assert isinstance(trials, list)
    assert isinstance(scores, dict)
    assert isinstance(optimism, dict)
    return Played(
        str(row["method"]),
        int(str(row["replay"])),
        tuple(Trial(**one) for one in trials),
        {kind: tuple(one) for kind, one in scores.items()},
        {kind: Optimism(**one) for kind, one in optimism.items()},
    )


def _whole_lines(path: Path | None) -> bytes:
    """Return the file up to the end of its last whole line."""
    if path is None or not path.exists():
        return b""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]
