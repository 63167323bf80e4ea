"""What a replay sees of the grid, and the truth that it does not see.

Each evaluation of an architecture draws one of its trainings, without replacement while they
last. The order depends on the replay's number and the architecture alone: all methods meet the
same luck. The truth is the mean of the trainings that were not drawn; of all, if all were.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from space import Architecture, Choice, cost_axis

from ..grid.grid import Entry, Grid, Run
from .ground import Choose, area, place_of

PLAIN_SEEDS = 3
BEYOND = 1.1  # of the dearest baseline's cost: where the scored area ends


@dataclass
class Draws:
    """The trainings that a replay draws, by architecture."""

    grid: Grid
    replay: int
    drawn: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def draw(self, name: str) -> Run:
        """Return the next training of an architecture."""
        runs, past = self.grid.named[name].runs, self.drawn[name]
        turn, place = divmod(len(past), len(runs))
        number = list(self.grid.named).index(name)
        order = np.random.default_rng([self.replay, number, turn]).permutation(len(runs))
        past.append(int(order[place]))
        return runs[past[-1]]

    def truth(self, name: str) -> float:
        """Return the mean accuracy of the trainings that were not drawn, or of all."""
        entry = self.grid.named[name]
        unseen = [run.accuracy for n, run in enumerate(entry.runs) if n not in self.drawn[name]]
        return sum(unseen) / len(unseen) if unseen else entry.mean


@dataclass(frozen=True)
class Scale:
    """What a score is measured on: the cost axis, its edge, and where everything starts."""

    grid: Grid
    cost_name: str

    @property
    def plain(self) -> Entry:
        """Return the network without attention."""
        return next(one for one in self.grid.entries if one.architecture.is_plain)

    @property
    def baselines(self) -> tuple[Entry, ...]:
        """Return each mechanism everywhere."""
        found = (one for one in self.grid.entries if len(set(one.name.split("/"))) == 1)
        return tuple(one for one in found if not one.architecture.is_plain)

    @property
    def start(self) -> tuple[str, ...]:
        """Return what every method trains first."""
        return (self.plain.name,) * PLAIN_SEEDS + tuple(one.name for one in self.baselines)

    @property
    def edge(self) -> float:
        """Return where the area ends on the cost axis."""
        dearest = max(one.cost[self.cost_name] for one in self.baselines)
        return cost_axis(BEYOND * dearest, self.plain.cost[self.cost_name])

    @property
    def num_epochs(self) -> int:
        """Return how many epochs a whole training has."""
        return len(self.plain.runs[0].curve)

    def network(self, name: str) -> Entry:
        """Return the entry of a name."""
        return self.grid.named[name]

    def name_of(self, architecture: Architecture) -> str:
        """Return the name of an architecture of the grid."""
        return next(one.name for one in self.grid.entries if one.architecture == architecture)

    def drawn(self, choose: Choose) -> str:
        """Return what a chooser draws, one option for each stage."""
        stages = range(len(self.plain.architecture.stages))
        return "/".join(str(choose(_parameter(stage), self.grid.options)) for stage in stages)

    def assignment(self, name: str) -> Mapping[str, Choice]:
        """Return the options of an architecture by their stages."""
        return {_parameter(stage): kind for stage, kind in enumerate(name.split("/"))}

    def place(self, name: str) -> float:
        """Return where an architecture stands on the cost axis."""
        return place_of(self, name)

    def area(self, accuracies: Mapping[str, float], plain: float) -> float:
        """Return the area that these architectures win above plain's accuracy."""
        return area(self, accuracies, plain)

    def front(self) -> tuple[str, ...]:
        """Return the architectures on the front at the mean of all trainings, cheapest first."""
        level, kept = self.plain.mean, []
        for one in sorted(self.grid.entries, key=lambda one: (self.place(one.name), -one.mean)):
            if one.mean > level:
                level = one.mean
                kept.append(one.name)
        return tuple(kept)


def _parameter(stage: int) -> str:
    return f"stage{stage + 1}.attention"
