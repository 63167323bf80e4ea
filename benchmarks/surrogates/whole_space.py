"""The whole search space as what replays are played on, with true gains by any formula."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.samplers import objective_of
from search.samplers.catalogue import Catalogue, Rows
from space import (
    Architecture,
    Choice,
    Cost,
    assignment,
    baselines,
    cost,
    digest,
    placements_in_words,
    plain,
    sample,
)

from ..replays.draws import PLAIN_SEEDS
from ..replays.ground import Choose
from .frontier import Gains, frontier

Array = NDArray[np.float64]
LEVEL = 0.6  # plain's accuracy, as in the study of the whole space
NOISE = 0.01  # standard deviation of a training's accuracy around the truth
NUM_RANDOM = 20_000  # architectures that the truths' deviation is taken over


def scaled(gains: Gains, catalogue: Catalogue, ratio: float) -> Gains:
    """Return the gains times what makes their deviation over the space `ratio` times the noise."""
    rows = catalogue.random(NUM_RANDOM, np.random.default_rng(0))
    factor = ratio * NOISE / float(gains(rows).std())
    return lambda some: factor * gains(some)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A network whose truth is known; a training of it is one epoch and one second long."""

    name: str
    architecture: Architecture
    digest: str
    cost: Cost
    accuracy: float  # the truth
    epoch_seconds: float = 1.0


@dataclass
class WholeSpace:
    """Every architecture of a space; a network's name is its row in the catalogue: `3/0/17`."""

    catalogue: Catalogue
    gains: Gains
    horizon: int
    cost_name: str = "macs"
    num_epochs: int = 1
    _known: dict[str, Simulated] = field(default_factory=dict)

    @cached_property
    def plain(self) -> Simulated:
        """Return the network without attention."""
        return self.network(self.name_of(plain(self.catalogue.space.backbone)))

    @cached_property
    def start(self) -> tuple[str, ...]:
        """Return plain with its seeds and the baselines, these at most a third of the horizon."""
        usual = list(baselines(self.catalogue.space).values())[: self.horizon // 3]
        return (self.plain.name,) * PLAIN_SEEDS + tuple(map(self.name_of, usual))

    @cached_property
    def edge(self) -> float:
        """Return where a study's area ends on the cost axis: beyond its dearest baseline."""
        return objective_of(self.catalogue.space, self.cost_name, {}).edge

    def network(self, name: str) -> Simulated:
        """Return the network of a name."""
        if name not in self._known:
            row = [int(one) for one in name.split("/")]
            one = self.catalogue.architecture(row)
            truth = LEVEL + float(self.gains(np.array([row]))[0])
            self._known[name] = Simulated(name, one, digest(one), cost(one), truth)
        return self._known[name]

    def name_of(self, architecture: Architecture) -> str:
        """Return the name of an architecture, however it is spelled."""
        row = self.catalogue.row(architecture)
        assert row is not None, "only what the space proposes is asked for"
        return _name(row)

    def drawn(self, choose: Choose) -> str | None:
        """Return what a chooser draws, or None where that is not proposed."""
        space = self.catalogue.space
        found = sample(choose, space)
        return None if space.reason_unproposed(found) else self.name_of(found)

    def assignment(self, name: str) -> Mapping[str, Choice]:
        """Return the parameters by which a network is drawn."""
        return assignment(self.network(name).architecture, self.catalogue.space)

    def in_words(self, name: str) -> str:
        """Return what a network is."""
        return placements_in_words(self.network(name).architecture)

    def front(self) -> tuple[str, ...]:
        """Return the best front that a long search of the truths finds."""
        return self._front

    @cached_property
    def _front(self) -> tuple[str, ...]:
        rows = self.catalogue.random(NUM_RANDOM, np.random.default_rng(1))
        return tuple(map(_name, frontier(rows, self.catalogue, self.gains, self.cost_name)))


def _name(row: Rows | tuple[int, ...]) -> str:
    return "/".join(str(int(one)) for one in row)
