"""Which network to train once more: the one whose next run may change the front most."""

import numpy as np

from space import Architecture, cost_axis
from studies import Front
from studies.hypervolume import expected_improvement, staircase

from .objective import Objective

FIRST = 8  # trainings that were chosen before the first replicate


def replicate_is_due(num_chosen: int, num_replicates: int, share: float) -> bool:
    """Say whether replicates lag behind their share of the trainings that were chosen so far."""
    return num_chosen >= FIRST and num_replicates < share * (num_chosen + 1)


def most_decisive(front: Front, objective: Objective) -> Architecture | None:
    """Return the network whose next run is expected to change the front's area most, or None.

    One more run moves an estimate by a normal amount, whose deviation follows from the network's
    variance v and a run's σ²: v / √(v + σ²). Where that carries the network over a step of the
    front that the others make, or under it, the front changes.

    Source: Frazier, Powell and Dayanik, The knowledge-gradient policy for correlated normal
    beliefs, INFORMS J. Computing 21, 2009, with the others' beliefs held fixed.
    """
    if front.posterior is None:
        return None
    values = [_value(front, number, objective) for number in range(len(front.points))]
    best = int(np.argmax(values)) if values else 0
    return front.points[best].architecture if values and values[best] > 0 else None


def _value(front: Front, number: int, objective: Objective) -> float:
    assert front.posterior is not None
    point = front.points[number]
    base, name = front.plain_cost[objective.cost_name], objective.cost_name
    places = [cost_axis(one.cost[name], base) for one in front.points]
    others = staircase(
        (place, one.estimate.gain)
        for place, one in zip(places, front.points, strict=True)
        if one is not point
    )
    variance = point.estimate.gain_error**2
    moved = variance / np.sqrt(variance + front.posterior.process.noise**2)
    ends = [*(place for place, _ in others[1:]), objective.edge]
    widths = [
        max(0.0, min(end, objective.edge) - max(start, places[number]))
        for (start, _), end in zip(others, ends, strict=True)
    ]
    apart = np.array([abs(point.estimate.gain - gain) for _, gain in others])
    return float(np.array(widths) @ expected_improvement(-apart, np.full(len(apart), moved)))
