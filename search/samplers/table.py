"""The samplers by their names; each is made anew for every proposal."""

import warnings
from collections.abc import Callable

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "tpe-group": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    "nsga2": lambda seed: NSGAIISampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
}


def make_sampler(name: str, seed: int) -> BaseSampler:
    """Return a fresh sampler: a resumed study then draws what an undisturbed one would have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLERS[name](seed)
