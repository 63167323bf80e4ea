"""How the front grew: its hypervolume after each training, and what had been spent by then.

Every network counts with its final estimate from the training on that first showed it: estimates
of the time would need the posterior of each moment. So the line says when what is believed now had
been tried, not what was believed then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from space import cost_axis

from ..front import Front
from ..hypervolume import Place, hypervolume, staircase
from ..store.records import Epoch, Evaluation

Curves = Mapping[int, Sequence[Epoch]]


@dataclass(frozen=True, slots=True)
class Step:
    """What had been won and spent when one training had ended."""

    num_trainings: int  # of the study's total
    seconds: float  # of all trainings so far, those of reference networks included
    hypervolume: float


def progress(
    front: Front, found: Sequence[Evaluation], curves: Curves, edge: float
) -> tuple[Step, ...]:
    """Return a step for each training that counts; none without a trained plain network."""
    if front.plain is None:
        return ()
    places = _places(front)
    tried: set[str] = set()
    front_then: list[Place] = []
    steps: list[Step] = []
    seconds = area = 0.0
    for one in found:
        seconds += seconds_of(one, curves)
        if not one.counts:
            continue
        if one.digest in places and one.digest not in tried:
            tried.add(one.digest)
            front_then = staircase([*front_then, places[one.digest]])
            area = hypervolume(front_then, edge)
        steps.append(Step(len(steps) + 1, seconds, area))
    return tuple(steps)


def seconds_of(one: Evaluation, curves: Curves) -> float:
    """Return what a training took; one without an outcome at least took its epochs."""
    if one.seconds is not None:
        return one.seconds
    return sum(epoch.seconds for epoch in curves.get(one.id, ()))


def _places(front: Front) -> dict[str, Place]:
    """Return each network's place on the cost axis and its gain over plain, by digest."""
    assert front.plain is not None, "asked before"
    name, level = front.cost_name, front.plain.estimate.accuracy
    start = front.plain_cost[name]
    return {
        one.digest: (cost_axis(one.cost[name], start), one.estimate.accuracy - level)
        for one in front.points
    }
