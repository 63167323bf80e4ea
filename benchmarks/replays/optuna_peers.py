"""Optuna's samplers on the grid, through ask and tell, with one categorical for each stage."""

import warnings
from collections.abc import Callable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from studies import Evaluation

from .draws import Scale
from .history import History
from .method import Sampler

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "tpe-group": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    "nsga2-50": lambda seed: NSGAIISampler(seed=seed, population_size=50),
    "nsga2-20": lambda seed: NSGAIISampler(seed=seed, population_size=20),
}


class OptunaPeer(Sampler):
    """One of Optuna's samplers; accuracy is maximised, cost minimised."""

    def __init__(self, name: str, scale: Scale, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.scale = scale
        self.trial: optuna.Trial | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = SAMPLERS[name](seed)
        self.study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        self.num_stages = len(scale.plain.architecture.stages)

    def ask(self, history: History, wanted: str | None) -> str:
        """Return what the sampler draws; what is wanted is enqueued first."""
        if wanted is not None:
            kinds = wanted.split("/")
            self.study.enqueue_trial({_stage(n): kind for n, kind in enumerate(kinds)})
        self.trial = self.study.ask()
        options = self.scale.grid.options
        drawn = [
            self.trial.suggest_categorical(_stage(n), options) for n in range(self.num_stages)
        ]
        return "/".join(drawn)

    def tell(self, row: Evaluation) -> None:
        """Tell the raw value and the cost; a training that was stopped has no value."""
        assert self.trial is not None, "told before anything was asked"
        if row.accuracy is None:
            self.study.tell(self.trial, state=TrialState.PRUNED)
        else:
            self.study.tell(self.trial, [row.accuracy, row.cost[self.scale.cost_name]])


def _stage(number: int) -> str:
    return f"stage{number + 1}.attention"
