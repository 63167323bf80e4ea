"""The networks of a pilot: as different as the space allows, and few."""

from collections.abc import Mapping

from space import Architecture, Placement, SearchSpace, baselines, cost, plain
from space.baselines import usual_placement

Stages = tuple[tuple[Placement, ...], ...]
PLAIN = "plain"
# Attention takes longer than its MACs say: its operations are small, and memory bounds them.
GATE_FACTOR = 1.2
FACTORS = {PLAIN: 1.0, "non_local": 1.5}


def pilot_networks(backbone: str) -> dict[str, Architecture]:
    """Return plain, a gate everywhere and early only, and dense attention in late stages.

    After six epochs of 20,000 images their means were 2.6 points apart (ResNet-14, n = 3 or 4).
    """
    space = SearchSpace(backbone=backbone, kinds=("se", "gam", "non_local"))
    usual = baselines(space)
    bare = plain(backbone)
    dense = usual_placement("gam", space.stages[-1], {"variant": "factorised"})
    early: Stages = (usual["se"].stages[0], *bare.stages[1:])
    late: Stages = (*bare.stages[:-1], (dense,))
    return {
        PLAIN: bare,
        "se everywhere": usual["se"],
        "se early": bare.model_copy(update={"stages": early}),
        "gam late": bare.model_copy(update={"stages": late}),
        "non_local": usual["non_local"],
    }


def expected_speeds(
    networks: Mapping[str, Architecture], measured: Mapping[str, float]
) -> dict[str, float]:
    """Return every network's speed: measured, or the plain one's by MACs and a safety factor."""
    least = cost(networks[PLAIN]).macs

    def expected(name: str) -> float:
        work = cost(networks[name]).macs / least * FACTORS.get(name, GATE_FACTOR)
        return measured[PLAIN] / work

    return {name: measured.get(name) or expected(name) for name in networks}
