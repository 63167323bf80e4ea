"""The samplers by their names; each is made anew for every proposal."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from space import SearchSpace
from studies import Evaluation
from studies.estimates.posterior import Forecast

from .objective import Objective
from .shell import KnownCostSampler


@dataclass(frozen=True, slots=True)
class Ask:
    """What a proposal may be made from."""

    seed: int
    space: SearchSpace
    objective: Objective
    evaluations: Sequence[Evaluation] = ()
    forecasts: Mapping[int, Forecast] = field(default_factory=dict)  # of stopped trainings


def _known_cost(ask: Ask) -> BaseSampler:
    from .known_cost import propose  # scipy's linear algebra takes a moment to load

    rng = np.random.default_rng(ask.seed)
    return KnownCostSampler(
        lambda: propose(ask.evaluations, ask.space, ask.objective, rng, ask.forecasts), ask.space
    )


SAMPLERS: dict[str, Callable[[Ask], BaseSampler]] = {
    "known-cost": _known_cost,
    "tpe": lambda ask: TPESampler(seed=ask.seed),
    "tpe-group": lambda ask: TPESampler(seed=ask.seed, multivariate=True, group=True),
    "nsga2": lambda ask: NSGAIISampler(seed=ask.seed),
    "random": lambda ask: RandomSampler(seed=ask.seed),
}
UNREADING = {"known-cost", "random"}  # these never look at Optuna's trials


def make_sampler(name: str, ask: Ask) -> BaseSampler:
    """Return a fresh sampler: a resumed study then draws what an undisturbed one would have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLERS[name](ask)
