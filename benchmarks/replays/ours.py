"""Our sampler and our stopping rule, by the functions that a study uses."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from search.config import StudyConfig
from search.rungs import level_at, may_stop, rungs, should_stop
from search.samplers import Objective, most_decisive, replicate_is_due
from search.samplers.known_cost import choose, propose
from space import Architecture, SearchSpace
from studies import Epoch, Evaluation
from studies.estimates.link import finished_curves
from studies.estimates.posterior import Forecast

from .draws import PLAIN_SEEDS, Scale
from .ground import Ground
from .history import History
from .method import Action, Method, Sampler

REPLICATES = float(StudyConfig.model_fields["replicates"].default)  # of the sampler's trainings
AUDIT = 0.1  # share of the stops

Propose = Callable[[History, Objective, Generator], Architecture | None]


def among_trained(scale: Scale) -> Propose:
    """Return what proposes the architectures of the grid; None once all were tried."""
    networks = [one.architecture for one in scale.grid.entries]
    return lambda history, objective, rng: choose(
        history.evaluations, networks, objective, rng, history.forecasts
    )


def in_space(space: SearchSpace) -> Propose:
    """Return what proposes the architectures of a whole space."""
    return lambda history, objective, rng: propose(
        history.evaluations, space, objective, rng, history.forecasts
    )


class KnownCost(Sampler):
    """The sampler that knows the cost, with its share of replicates."""

    def __init__(
        self, ground: Ground, seed: int, propose: Propose, replicates: float = REPLICATES
    ) -> None:
        self.ground = ground
        self.propose = propose
        self.replicates = replicates
        self.rng = np.random.default_rng(seed)
        self.objective = Objective(ground.cost_name, ground.edge, {})

    def ask(self, history: History, wanted: str | None) -> str:
        """Return a replicate where one is due, else what is expected to add most."""
        if wanted is not None:
            return wanted
        found = most_decisive(history.front(), self.objective) if self._is_due(history) else None
        found = found or self.propose(history, self.objective, self.rng)
        found = found or most_decisive(history.front(), self.objective)  # all of them were tried
        return self.ground.name_of(found) if found else self.ground.plain.name

    def _is_due(self, history: History) -> bool:
        """Say whether replicates lag behind; what all methods start with does not count."""
        num_own = len(history.evaluations) - len(self.ground.start)
        replicated = sum(one.purpose == "replicate" for one in history.evaluations)
        return replicate_is_due(num_own, replicated - (PLAIN_SEEDS - 1), self.replicates)


class Stopping:
    """Any method with our stopping rule; a share of the stops is trained to the end instead."""

    def __init__(self, method: Method, scale: Scale, seed: int, audit: float = AUDIT) -> None:
        self.method = method
        self.audit = audit
        self.rng = np.random.default_rng([seed, 1])
        self.num_epochs = scale.num_epochs
        self.baselines = frozenset(one.digest for one in scale.baselines)

    def ask(self, history: History, wanted: str | None) -> str:
        """Return what the method asks for."""
        return self.method.ask(history, wanted)

    def watch(self, history: History, row: Evaluation, epochs: tuple[Epoch, ...]) -> Action:
        """Judge the training at a rung, as a study's driver does."""
        if len(epochs) not in rungs(self.num_epochs) or not may_stop(row, self.baselines):
            return Action.GO_ON
        finished = finished_curves(history.evaluations, history.curves, self.audit)
        verdict = should_stop(finished, epochs, level_at(history.front(), row.cost))
        if verdict is None or not verdict.stops:
            return Action.GO_ON
        if self.rng.random() < self.audit:
            return Action.AUDIT
        expected = verdict.prediction
        history.forecasts[row.id] = Forecast(expected.accuracy, expected.sd)
        return Action.STOP

    def tell(self, row: Evaluation) -> None:
        """Tell the method."""
        self.method.tell(row)
