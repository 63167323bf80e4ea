"""Optuna's face of `known_cost`: it asks, and gets the whole conditional set of parameters."""

from collections.abc import Callable
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from space import Architecture, SearchSpace, assignment


class KnownCostSampler(BaseSampler):
    """Gives one trial the parameters of one proposed architecture."""

    def __init__(self, propose: Callable[[], Architecture], space: SearchSpace) -> None:
        self._propose = propose
        self._space = space
        self._wanted: dict[str, Any] = {}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that the proposal has, each with all its choices."""
        self._wanted = assignment(self._propose(), self._space)
        choices = self._space.parameters()
        return {name: CategoricalDistribution(choices[name]) for name in self._wanted}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the proposal's parameters."""
        return self._wanted

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401 # Optuna's own signature
        """Refuse: the proposal names every parameter that is asked for."""
        raise AssertionError(f"{param_name} is not among the proposal's {list(self._wanted)}")
