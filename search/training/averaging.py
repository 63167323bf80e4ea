"""A running mean of a network's weights over the latest of its steps."""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn


class Averaged:
    """A copy of a network that follows the mean of its weights and of its norms' statistics.

    After t steps the mean reaches back over about `share` · t of them, so that the first weights
    are forgotten in time, and rungs and the end see the same kind of network.

    Source: Shamir and Zhang, Stochastic Gradient Descent for Non-smooth Optimization,
    arXiv:1212.1824, sec. 3 (polynomial-decay averaging with η = 1 / share − 1).
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        self.model = deepcopy(model)
        self._share = share
        self._num_steps = 0
        self._means, self._latest = _numbers(self.model), _numbers(model)

    @torch.no_grad()
    def follow(self) -> None:
        """Take the weights after one more step into the mean."""
        self._num_steps += 1
        weight = 1 / max(1.0, self._share * self._num_steps)
        torch._foreach_lerp_(self._means, self._latest, weight)

    def restore(self, tensors: Mapping[str, Tensor], num_steps: int) -> None:
        """Take up the mean over so many steps."""
        self.model.load_state_dict(tensors)
        self._num_steps = num_steps

    def give_back(self, model: nn.Module) -> None:
        """Put the mean into the network that was followed."""
        model.load_state_dict(self.model.state_dict())


def _numbers(model: nn.Module) -> list[Tensor]:
    """Return weights and statistics, which training changes in place; no counters."""
    return [one for one in model.state_dict().values() if one.is_floating_point()]
