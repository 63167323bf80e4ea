"""Which network to train once more: the one whose next run may change the front most."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from space import Architecture, cost_axis
from studies import Evaluation, Front, Point
from studies.hypervolume import Place, expected_improvement, staircase

from .objective import Objective

FIRST = 8  # trainings that were chosen before the first replicate


def replicate_is_due(num_chosen: int, num_replicates: int, share: float) -> bool:
    """Say whether replicates lag behind their share of the trainings that were chosen so far."""
    return num_chosen >= FIRST and num_replicates < share * (num_chosen + 1)


def most_decisive(
    front: Front, objective: Objective, evaluations: Iterable[Evaluation] = ()
) -> Architecture | None:
    """Return the network whose next run is expected to change the front's area most, or None.

    One more run moves a gain by a normal amount, whose deviation follows from the network's
    variance v, its covariance c with plain and a run's σ²: (v - c) / √(v + σ²). Where that carries
    the network over a step of the front that the others make, or under it, the front changes.
    Runs that go on already count as done. Plain's own next run moves every gain.

    Source: Frazier, Powell and Dayanik, The knowledge-gradient policy for correlated normal
    beliefs, INFORMS J. Computing 21, 2009, with the others' beliefs held fixed.
    """
    if front.posterior is None or front.plain is None:
        return None
    going_on = Counter(one.digest for one in evaluations if one.state in ("proposed", "running"))
    steps = staircase(_places(front, front.points, objective))
    values = [_value(front, one, objective, steps, going_on[one.digest]) for one in front.points]
    best = int(np.argmax(values))
    return front.points[best].architecture if values[best] > 0 else None


def _value(
    front: Front, point: Point, objective: Objective, steps: Sequence[Place], num_going_on: int
) -> float:
    """Return the expected change of the area by one more run of the network."""
    (place,) = _places(front, [point], objective)
    edge, moved = objective.edge, _moved(front, point, num_going_on)
    if point.architecture.is_plain:
        own = pairwise([*steps[1:], (edge, 0.0)])
        return sum(
            _passing(gain, moved) * _width(start, end, edge) for (start, gain), (end, _) in own
        )
    if place in steps:
        rest = [one for one in front.points if one is not point]
        steps = staircase(_places(front, rest, objective))
    start, gain = place
    return sum(
        _passing(gain - level, moved) * _width(max(left, start), right, edge)
        for (left, level), (right, _) in pairwise([*steps, (edge, 0.0)])
    )


def _width(start: float, end: float, edge: float) -> float:
    return max(0.0, min(end, edge) - start)


def _passing(apart: float, moved: float) -> float:
    """Return by how much a move is expected to pass a level that is so far away."""
    return float(expected_improvement(np.array([-abs(apart)]), np.array([moved]))[0])


def _moved(front: Front, point: Point, num_going_on: int) -> float:
    """Return the deviation by which one more run moves the gain; of plain, all gains."""
    assert front.posterior is not None
    assert front.plain is not None
    noise, own = front.posterior.process.noise**2, point.estimate.standard_error**2
    with_plain = (own + front.plain.estimate.standard_error**2 - point.estimate.gain_error**2) / 2
    left = own if point.architecture.is_plain else max(0.0, own - with_plain)
    after = 1 + num_going_on * own / noise  # how far the runs that go on shrink it
    return left / after / float(np.sqrt(own / after + noise))


def _places(front: Front, points: Iterable[Point], objective: Objective) -> list[Place]:
    """Return place on the cost axis and gain of each point."""
    name, base = objective.cost_name, front.plain_cost[objective.cost_name]
    return [(cost_axis(one.cost[name], base), one.estimate.gain) for one in points]
