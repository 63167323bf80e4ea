"""Optuna's samplers, through ask and tell, by the categorical parameters of the ground."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import cast

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from space import Choice
from studies import Evaluation

from .ground import Ground
from .history import History
from .method import Sampler

PLACE = "place"  # a constraint's name
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "tpe-group": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    "nsga2-50": lambda seed: NSGAIISampler(seed=seed, population_size=50),
    "nsga2-20": lambda seed: NSGAIISampler(seed=seed, population_size=20),
}


class OptunaPeer(Sampler):
    """One of Optuna's samplers; accuracy is maximised, cost minimised."""

    def __init__(self, name: str, ground: Ground, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.ground = ground
        self.trial: optuna.Trial | None = None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            sampler = SAMPLERS[name](seed)
        self.study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)

    def ask(self, history: History, wanted: str | None) -> str:
        """Return what the sampler draws; what is wanted is enqueued first."""
        if wanted is not None:
            self.study.enqueue_trial(dict(self.ground.assignment(wanted)))
        while True:  # until a draw is one that may be trained
            trial = self.trial = self.study.ask()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                drawn = self.ground.drawn(partial(_chosen, trial))
                if drawn is not None:
                    return drawn
                trial.set_constraint(PLACE, 1.0)  # as a study does, which refuses it
            self.study.tell(trial, state=TrialState.PRUNED)

    def tell(self, row: Evaluation) -> None:
        """Tell the raw value and the cost; a training that was stopped has no value."""
        assert self.trial is not None, "told before anything was asked"
        if row.accuracy is None:
            self.study.tell(self.trial, state=TrialState.PRUNED)
        else:
            self.study.tell(self.trial, [row.accuracy, row.cost[self.ground.cost_name]])


def _chosen(trial: optuna.Trial, name: str, options: tuple[Choice, ...]) -> Choice:
    return cast("Choice", trial.suggest_categorical(name, options))
