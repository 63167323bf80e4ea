"""The methods of a replay on the whole space, by the names that they have on the grid.

Those that stop trainings, MOASHA among them, are left out: a forest predicts no curves.
"""

from collections.abc import Callable
from functools import partial

from ..replays.method import Method
from ..replays.optuna_peers import SAMPLERS, OptunaPeer
from ..replays.ours import REPLICATES, KnownCost, in_space
from .whole_space import WholeSpace

Make = Callable[[WholeSpace, int], Method]


def _known_cost(ground: WholeSpace, seed: int, replicates: float = REPLICATES) -> Method:
    return KnownCost(ground, seed, in_space(ground.catalogue.space), replicates)


METHODS: dict[str, Make] = {
    "known-cost": _known_cost,
    "known-cost-once": partial(_known_cost, replicates=0.0),
    **{name: partial(OptunaPeer, name) for name in SAMPLERS},
}
