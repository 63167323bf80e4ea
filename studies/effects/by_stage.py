"""What each mechanism does in each stage: average marginal effects, with their exact cost.

The effect of a mechanism in a stage is the mean, over the networks that the study trained, of the
accuracy with the mechanism in that stage less the accuracy with nothing there; the other stages
stay as they are. The mechanism stands there as it was trained there, in each way in turn. Most of
these networks were never trained: their accuracies are the posterior's, and the error follows from
its covariances.

So it is an estimate of a model, not a measurement. Likeness (`similarity.py`) carries what was
seen of a mechanism to its other settings, places and stages: what it does in a single stage only
is drawn towards what it does in the others, and towards zero. Interplay between stages is averaged
over, not shown. `ablations` and `paired_difference` measure two networks against each other.

Source: Hainmueller, Hopkins and Yamamoto, Causal Inference in Conjoint Analysis, Political
Analysis 22, 2014, sec. 3: the average marginal component effect. Departs from it: the contexts are
what a sampler proposed, not drawn at random, and the outcomes are estimates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from space import Cost, SearchSpace

from ..front import Front, Point
from .contrasts import Contrasts
from .swaps import Swap, swapped

Array = NDArray[np.float64]
# Twice as many moved no effect by more than 0.07 of its error (150 random ResNet-20, 2.4 s).
MOST_CONTEXTS = 40
LEVEL = 0.05  # of error, over all cells together


@dataclass(frozen=True, slots=True)
class Cell:
    """A mechanism in a stage; stages count from 1."""

    stage: int
    kind: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a mechanism does in a stage; accuracies from 0 to 1.

    `low` and `high` are the ends of the 95 % interval, `p` is twice the probability of the less
    likely sign. One placement, as it was trained there, adds from `least` to `most`, each count by
    itself, to what the network costs.
    """

    cell: Cell
    mean: float
    standard_error: float
    low: float
    high: float
    p: float
    num_networks: int  # trained with it there
    num_trainings: int  # of these
    least: Cost
    most: Cost

    @property
    def includes_zero(self) -> bool:
        """Say whether the 95 % interval holds 0."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Effects:
    """The cells of a study's space: known, or proposed but without a finished training.

    `covariance` is that of the known ones, in their order: by stage, then by mechanism.
    """

    known: tuple[Effect, ...]
    untried: tuple[Cell, ...]
    covariance: Array
    num_contexts: int

    def of(self, cell: Cell) -> Effect | None:
        """Return what is known of a cell; None if that is nothing."""
        return next((one for one in self.known if one.cell == cell), None)


def effects_of(front: Front, search_space: SearchSpace) -> Effects | None:
    """Return the effects in every stage; None while the noise is unknown."""
    if front.posterior is None:
        return None
    points = sorted(front.points, key=lambda one: one.digest)  # an order by no property
    cells = [Cell(stage.number, kind) for stage in search_space.stages for kind in stage.kinds]
    tried = {cell: found for cell in cells if (found := _with(cell, points))}
    untried = tuple(cell for cell in cells if cell not in tried)
    place = {key: index for index, key in enumerate(front.posterior.keys)}
    contexts = [place[one.digest] for one in points[:MOST_CONTEXTS]]
    if not tried:
        return Effects((), untried, np.zeros((0, 0)), len(contexts))
    swaps = [
        Swap(cell.stage - 1, tuple(place[one.digest] for one in found))
        for cell, found in tried.items()
    ]
    changes = swapped(front.posterior, contexts, swaps)
    known = tuple(
        _effect(changes, i, tried=one, search_space=search_space)
        for i, one in enumerate(tried.items())
    )
    return Effects(known, untried, changes.covariance, len(contexts))


def distinguishable(effects: Effects) -> tuple[Effect, ...]:
    """Return the effects that are above or below zero for sure, all cells together; largest first.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
    Statistics 6, 1979.
    """
    ordered = sorted(effects.known, key=lambda one: one.p)
    bounds = [LEVEL / (len(ordered) - number) for number in range(len(ordered))]
    passed = takewhile(lambda pair: pair[0].p <= pair[1], zip(ordered, bounds, strict=True))
    return tuple(sorted((one for one, _ in passed), key=lambda one: -abs(one.mean)))


def _with(cell: Cell, points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the networks with the mechanism there; a study places at most one in a stage."""
    stages = ((one, one.architecture.stages[cell.stage - 1]) for one in points)
    return tuple(one for one, own in stages if own and own[0].attention.kind == cell.kind)


def _effect(
    changes: Contrasts, i: int, *, tried: tuple[Cell, Sequence[Point]], search_space: SearchSpace
) -> Effect:
    cell, points = tried
    stage = search_space.stages[cell.stage - 1]
    costs = [stage.cost(one.architecture.stages[cell.stage - 1][0]) for one in points]
    return Effect(
        cell,
        mean=float(changes.mean[i]),
        standard_error=sqrt(changes.covariance[i, i]),
        low=float(changes.low[i]),
        high=float(changes.high[i]),
        p=2 * float(min(changes.above[i], 1 - changes.above[i])),
        num_networks=len(points),
        num_trainings=sum(one.estimate.num_evaluations for one in points),
        least=Cost(min(one.macs for one in costs), min(one.params for one in costs)),
        most=Cost(max(one.macs for one in costs), max(one.params for one in costs)),
    )
