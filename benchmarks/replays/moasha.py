"""Syne Tune's MOASHA on the grid: random architectures, stopped by their rank at rungs.

Source: Schmucker et al., Multi-objective asynchronous successive halving, arXiv:2106.12639;
needs the extra `peers`.
"""

from datetime import UTC, datetime

import numpy as np
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice
from syne_tune.optimizer.scheduler import SchedulerDecision
from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA

from studies import Epoch, Evaluation

from .draws import Scale
from .history import History
from .method import Action


class Moasha:
    """MOASHA with its own defaults: rungs after 1, 3, 9, ... epochs, a third goes on."""

    def __init__(self, scale: Scale, seed: int) -> None:
        np.random.seed(seed)  # what it draws and ranks with is the global state
        options = list(scale.grid.options)
        self.scale = scale
        self.num_epochs = scale.num_epochs
        self.stages = [f"stage{n}" for n, _ in enumerate(scale.plain.architecture.stages, 1)]
        self.scheduler = MOASHA(
            {stage: choice(options) for stage in self.stages},
            ["error", "cost"],
            time_attr="epoch",
            max_t=self.num_epochs,
            random_seed=seed,
        )
        self.is_own = False
        self.trial: Trial | None = None

    def ask(self, history: History, wanted: str | None) -> str:
        """Return what it draws; what is wanted is a trial like its own."""
        kinds = wanted.split("/") if wanted else self._drawn()
        self.is_own = wanted is None
        config = dict(zip(self.stages, kinds, strict=True))
        self.trial = Trial(len(history.evaluations), config, datetime.now(UTC))
        self.scheduler.on_trial_add(self.trial)
        return "/".join(kinds)

    def watch(self, history: History, row: Evaluation, epochs: tuple[Epoch, ...]) -> Action:
        """Report the epoch; what every method starts with is trained to its end all the same."""
        assert self.trial is not None, "asked about a training before it began"
        price = row.cost[self.scale.cost_name]
        result = {"epoch": len(epochs), "error": 1 - epochs[-1].accuracy, "cost": price}
        decision = self.scheduler.on_trial_result(self.trial, result)
        stops = decision == SchedulerDecision.STOP and len(epochs) < self.num_epochs
        return Action.STOP if stops and self.is_own else Action.GO_ON

    def tell(self, row: Evaluation) -> None:
        """Say that the trial has ended."""
        assert self.trial is not None, "told before anything was asked"
        if row.accuracy is None:
            self.scheduler.on_trial_remove(self.trial)
            return
        price = row.cost[self.scale.cost_name]
        result = {"epoch": self.num_epochs, "error": 1 - row.accuracy, "cost": price}
        self.scheduler.on_trial_complete(self.trial, result)

    def _drawn(self) -> list[str]:
        suggestion = self.scheduler.suggest()
        assert suggestion is not None, "it draws at random and never runs out"
        return [str(suggestion.config[stage]) for stage in self.stages]
