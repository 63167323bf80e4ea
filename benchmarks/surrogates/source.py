"""Where a surrogate comes from, and the replays to do on it; each process fits it once."""

import json
from dataclasses import dataclass
from functools import lru_cache

from search.samplers.catalogue import Catalogue
from space import Refusal, SearchSpace

from ..grid.grid import Grid, load
from ..grid.rows import GridFiles
from ..replays.play import Played, play
from .forest import Forest
from .luck import SimulatedLuck
from .methods import METHODS
from .trainings import of_grid, runs_of_study, stored_runs, trained
from .whole_space import WholeSpace, scaled

BACKBONE = "resnet8"


@dataclass(frozen=True, slots=True)
class Source:
    """The real trainings: a whole sub-grid, and a study of the whole space."""

    files: GridFiles
    options: int
    study: str | None  # a database; None for the trainings that are kept in a file


@dataclass(frozen=True, slots=True)
class Task:
    """A replay to do on a surrogate."""

    source: Source
    fingerprint: str  # of the forest
    ratio: float
    horizon: int
    method: str
    replay: int

    def key(self) -> str:
        """Return what decides its result, the code apart."""
        facts = (self.fingerprint, self.ratio, self.horizon, self.method, self.replay)
        return json.dumps(facts)


def do(task: Task) -> Played:
    """Do the replay."""
    ground = ground_of(task.source, task.ratio, task.horizon)
    method = METHODS[task.method](ground, task.replay)
    return play(task.method, method, SimulatedLuck(ground, task.replay), ground, task.horizon)


@lru_cache
def ground_of(source: Source, ratio: float, horizon: int) -> WholeSpace:
    """Return the whole space with the forest's truths at a ratio of gains to noise."""
    forest = forest_of(source)
    return WholeSpace(forest.catalogue, scaled(forest.gains, forest.catalogue, ratio), horizon)


@lru_cache
def forest_of(source: Source) -> Forest:
    """Return the forest.

    Raises:
        Refusal: the sub-grid is not whole, or there is no such study.
    """
    study = stored_runs() if source.study is None else runs_of_study(source.study, BACKBONE)
    networks = [*of_grid(_grid(source)), *trained("study", study)]
    return Forest(Catalogue(SearchSpace(backbone=BACKBONE)), networks)


def _grid(source: Source) -> Grid:
    found = load(source.files)
    whole = found.complete(source.options) if source.options else found.largest()
    if whole is None:
        raise Refusal(
            f"the grid in {source.files.rows} must be complete for {source.options or 2} options, "
            f"got {len(found.entries)} architectures: python -m benchmarks.grid.make trains it"
        )
    return whole
