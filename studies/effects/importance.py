"""How much the choice in each stage matters: for accuracy by the effects, for cost exactly.

The importance of a choice is the variance of its main effect: of what its options do on average,
each weighted by how many networks were trained with it. A variance has no sign, so what raises the
accuracy and what lowers it cannot be mistaken for each other. Of accuracies only the posterior is
known: its expected variance is that of the estimated effects, and what their errors may add.

Only `stage1.attention` and the like are ranked. The other parameters exist only where a mechanism
was chosen; they count as part of that choice. Interplay between stages belongs to none.

Source: Oakley and O'Hagan, Probabilistic sensitivity analysis of complex models: a Bayesian
approach, Journal of the Royal Statistical Society B 66, 2004: main effects of a Gaussian process.
Departs from it: shares are of the estimated main effects, not of all variance.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from space import SearchSpace

from ..front import Front
from .by_stage import Effects

Array = NDArray[np.float64]
DRAWS = 4000  # a probability is then off by 0.008 at most (one standard error)


@dataclass(frozen=True, slots=True)
class Importance:
    """What the choice in one stage does; deviations of accuracy from 0 to 1."""

    parameter: str
    num_options: int  # that were trained, nothing included
    known: float  # standard deviation of the estimated effects
    unknown: float  # of what their errors may add
    share: float  # of the variance of all stages' estimated effects
    probability_first: float  # that no other stage's choice matters more
    cost_share: float  # of the variance of all stages' cost: exact


def importances(
    front: Front, effects: Effects, search_space: SearchSpace
) -> tuple[Importance, ...]:
    """Return the importance of each stage's choice, first stage first; none without effects."""
    if not effects.known:
        return ()
    numbers = [stage.number for stage in search_space.stages]
    belongs_SR = np.array([[one.cell.stage == n for one in effects.known] for n in numbers])
    shares_R = np.array([one.num_networks for one in effects.known]) / len(front.points)
    weights_SR = np.where(belongs_SR, shares_R, 0.0)
    mean_R = np.array([one.mean for one in effects.known])
    known_S = _variances(mean_R[None, :], weights_SR)[0]
    unknown_S = weights_SR @ np.diag(effects.covariance)
    unknown_S -= np.einsum("sr,rq,sq->s", weights_SR, effects.covariance, weights_SR)
    first_S = _first(mean_R, effects.covariance, weights_SR)
    costs_S = _cost_variances(front, search_space)
    return tuple(
        Importance(
            parameter=f"stage{number}.attention",
            num_options=int(belongs_SR[s].sum()) + _has_empty(front, number),
            known=sqrt(known_S[s]),
            unknown=sqrt(max(0.0, unknown_S[s])),
            share=_share(known_S, s),
            probability_first=float(first_S[s]),
            cost_share=_share(costs_S, s),
        )
        for s, number in enumerate(numbers)
    )


def _variances(effects_DR: Array, weights_SR: Array) -> Array:
    """Return D x S variances of the options' effects; nothing is an option too, with 0."""
    found: Array = effects_DR**2 @ weights_SR.T - (effects_DR @ weights_SR.T) ** 2
    return np.maximum(found, 0.0)


def _first(mean_R: Array, covariance_RR: Array, weights_SR: Array) -> Array:
    """Return the probability that each stage's variance is the largest, effects being normal."""
    generator = np.random.default_rng(0)
    drawn = generator.multivariate_normal(mean_R, covariance_RR, DRAWS, check_valid="ignore")
    largest = _variances(drawn, weights_SR).argmax(axis=1)
    return np.bincount(largest, minlength=len(weights_SR)) / DRAWS


def _cost_variances(front: Front, search_space: SearchSpace) -> Array:
    """Return the variance of what stands in each stage costs, over the trained networks."""
    costs = [
        [
            sum(stage.cost(placement)[front.cost_name] for placement in placements)
            for stage, placements in zip(
                search_space.stages, point.architecture.stages, strict=True
            )
        ]
        for point in front.points
    ]
    found: Array = np.array(costs, dtype=np.float64).var(axis=0)
    return found


def _has_empty(front: Front, number: int) -> bool:
    return any(not one.architecture.stages[number - 1] for one in front.points)


def _share(variances_S: Array, stage: int) -> float:
    """Return the stage's part; where nothing varies there is none."""
    total = float(variances_S.sum())
    return float(variances_S[stage]) / total if total else 0.0
