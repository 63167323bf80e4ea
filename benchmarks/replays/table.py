"""The methods of a replay on the grid by their names."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

from .draws import Scale
from .method import Method
from .optuna_peers import SAMPLERS, OptunaPeer
from .ours import REPLICATES, KnownCost, Stopping, among_trained

Make = Callable[[Scale, int], Method]


def _known_cost(scale: Scale, seed: int, replicates: float = REPLICATES) -> Method:
    return KnownCost(scale, seed, among_trained(scale), replicates)


def _moasha(scale: Scale, seed: int) -> Method:
    from .moasha import Moasha  # needs the extra `peers`

    return Moasha(scale, seed)


METHODS: dict[str, Make] = {
    "known-cost": _known_cost,
    "known-cost-stop": lambda scale, seed: Stopping(_known_cost(scale, seed), scale, seed),
    "known-cost-once": partial(_known_cost, replicates=0.0),
    **{name: partial(OptunaPeer, name) for name in SAMPLERS},
    "random-stop": lambda scale, seed: Stopping(OptunaPeer("random", scale, seed), scale, seed),
    "moasha": _moasha,
}
OURS = ("known-cost", "known-cost-stop", "known-cost-once")
PEERS = (*SAMPLERS, "moasha")
AVAILABLE = tuple(name for name in METHODS if name != "moasha" or find_spec("syne_tune"))
