"""Our sampler and our stopping rule on the grid, by the functions that a study uses."""

import numpy as np

from search.rungs import level_at, may_stop, rungs, should_stop
from search.samplers import Objective, most_decisive, replicate_is_due
from search.samplers.known_cost import choose
from studies import Epoch, Evaluation
from studies.link import finished_curves
from studies.posterior import Forecast

from .draws import PLAIN_SEEDS, Scale
from .history import History
from .method import Action, Method, Sampler

REPLICATES = 0.15  # share of the sampler's trainings
AUDIT = 0.1  # share of the stops


class KnownCost(Sampler):
    """The sampler that knows the cost, with its share of replicates."""

    def __init__(self, scale: Scale, seed: int, replicates: float = REPLICATES) -> None:
        self.scale = scale
        self.replicates = replicates
        self.rng = np.random.default_rng(seed)
        self.objective = Objective(scale.cost_name, scale.edge, {})
        self.names = {one.digest: one.name for one in scale.grid.entries}

    def ask(self, history: History, wanted: str | None) -> str:
        """Return a replicate where one is due, else what is expected to add most."""
        if wanted is not None:
            return wanted
        networks = [one.architecture for one in self.scale.grid.entries]
        known, forecasts = history.evaluations, history.forecasts
        found = most_decisive(history.front(), self.objective) if self._is_due(history) else None
        found = found or choose(known, networks, self.objective, self.rng, forecasts)
        found = found or most_decisive(history.front(), self.objective)  # all of them were tried
        row = next((one for one in self.scale.grid.entries if one.architecture == found), None)
        return (row or self.scale.plain).name

    def _is_due(self, history: History) -> bool:
        """Say whether replicates lag behind; what all methods start with does not count."""
        num_own = len(history.evaluations) - len(self.scale.start)
        replicated = sum(one.purpose == "replicate" for one in history.evaluations)
        return replicate_is_due(num_own, replicated - (PLAIN_SEEDS - 1), self.replicates)


class Stopping:
    """Any method with our stopping rule; a share of the stops is trained to the end instead."""

    def __init__(self, method: Method, scale: Scale, seed: int, audit: float = AUDIT) -> None:
        self.method = method
        self.audit = audit
        self.rng = np.random.default_rng([seed, 1])
        self.num_epochs = len(scale.plain.runs[0].curve)
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
