"""What a study's sampler wins: the area above the plain network, left of an edge."""

from collections.abc import Mapping
from dataclasses import dataclass

from space import SearchSpace, baselines, cost, cost_axis, plain

BEYOND = 1.1  # of the dearest baseline's cost: the edge without a budget


@dataclass(frozen=True, slots=True)
class Objective:
    """The cost that counts, how far to the right the area reaches, and what may be proposed."""

    cost_name: str
    edge: float  # on the cost axis
    limits: Mapping[str, int]  # the most of each cost that is limited


def objective_of(space: SearchSpace, cost_name: str, limits: Mapping[str, int]) -> Objective:
    """Return the objective of a study: its edge is the budget, or lies beyond the baselines."""
    least = cost(plain(space.backbone))[cost_name]
    dearest = max((cost(one)[cost_name] for one in baselines(space).values()), default=least)
    return Objective(
        cost_name, cost_axis(limits.get(cost_name, BEYOND * dearest), least), dict(limits)
    )
