"""The sampler that knows the cost: accuracy is modelled, cost is computed.

It proposes the architecture that is expected to add most to the area of the front, in closed form.
Nothing over a budget, already tried or running is proposed; running trainings count as if they had
ended with their predicted accuracy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator

from space import Architecture, SearchSpace, cost, cost_axis, digest, plain
from studies import Evaluation, Front, front_of
from studies.hypervolume import Array, Place, expected_gains, staircase
from studies.posterior import Forecast, Posterior
from studies.similarity import Encoded, encoded

from .catalogue import Catalogue, Rows
from .objective import Objective

NUM_RANDOM = 300
NUM_NEIGHBOURS = 60  # of each of the best architectures
NUM_BEST = 8
NUM_POINTS = 60  # of the posterior's grid that candidates are judged by
MAX_NETWORKS = 250  # that a proposal learns from: with more, an ask would take over 0.3 s

Forecasts = Mapping[int, Forecast]  # by the evaluation's id, of trainings that were stopped


def propose(
    evaluations: Sequence[Evaluation],
    space: SearchSpace,
    objective: Objective,
    rng: Generator,
    forecasts: Forecasts | None = None,
) -> Architecture:
    """Return the architecture of the space to train next.

    Before the noise is known it is a random one; where all that is near was tried, a replicate.
    """
    catalogue = _catalogue(space)
    belief = believed(evaluations, space.backbone, objective.cost_name, rng, forecasts)
    rows = _candidates(catalogue, belief, rng)
    costs = catalogue.costs(rows)
    fits = np.ones(len(rows), dtype=bool)
    for name, most in objective.limits.items():
        fits &= costs[name] <= most
    rows, prices = rows[fits], costs[objective.cost_name][fits].astype(float)
    if not len(rows):
        return plain(space.backbone)
    found = _ranked(belief, catalogue.encoded(rows), prices, objective, rng)
    tried = {one.digest for one in evaluations if one.state != "refused"}
    ranked = (catalogue.architecture(rows[index]) for index in found)
    return next((one for one in ranked if digest(one) not in tried), plain(space.backbone))


def choose(
    evaluations: Sequence[Evaluation],
    candidates: Sequence[Architecture],
    objective: Objective,
    rng: Generator,
    forecasts: Forecasts | None = None,
) -> Architecture | None:
    """Return the one of the candidates to train next, or None if all were tried."""
    tried = {one.digest for one in evaluations}
    left = [one for one in candidates if digest(one) not in tried]
    if not left:
        return None
    belief = believed(evaluations, left[0].backbone, objective.cost_name, rng, forecasts)
    prices = np.array([cost(one)[objective.cost_name] for one in left])
    return left[_ranked(belief, encoded(left), prices, objective, rng)[0]]


@dataclass(frozen=True, slots=True)
class Belief:
    """What a study is taken to know, running trainings included."""

    backbone: str
    posterior: Posterior | None
    steps: tuple[Place, ...]  # of the front: place on the cost axis, gain over plain
    best: tuple[Architecture, ...]  # the ones of the highest gains for their cost


def believed(
    evaluations: Sequence[Evaluation],
    backbone: str,
    cost_name: str,
    rng: Generator,
    forecasts: Forecasts | None = None,
) -> Belief:
    """Return the posterior, once more with each running training at its predicted value."""
    known = _capped(evaluations, rng)
    found = dict(forecasts or {})
    front = front_of(known, backbone, cost_name, found)
    running = [
        one for one in known if one.state in ("proposed", "running") and one.trial is not None
    ]
    if running and front.posterior is not None:
        expected = front.posterior.of(
            encoded([one.architecture for one in running]), [one.digest for one in running]
        ).mean
        found |= {
            one.id: Forecast(float(e), 0.0) for one, e in zip(running, expected, strict=True)
        }
        front = front_of(known, backbone, cost_name, found)
    return _belief(front, known, backbone, cost_name)


def _belief(front: Front, known: Sequence[Evaluation], backbone: str, cost_name: str) -> Belief:
    if front.posterior is None:
        return Belief(backbone, None, (), ())
    base = front.plain_cost[cost_name]
    networks = {one.digest: one for one in known}
    gains = dict(zip(front.posterior.keys, front.posterior.observed().gain, strict=True))
    places = {key: cost_axis(networks[key].cost[cost_name], base) for key in gains}
    steps = staircase((places[key], float(gain)) for key, gain in gains.items())
    best = sorted(gains, key=lambda key: _below(steps, places[key], float(gains[key])))
    return Belief(
        backbone,
        front.posterior,
        tuple(steps),
        tuple(networks[key].architecture for key in best[:NUM_BEST]),
    )


def _below(steps: Sequence[Place], place: float, gain: float) -> float:
    """Return how far a network lies below the front at its cost."""
    return max(level for start, level in steps if start <= place) - gain


def _ranked(
    belief: Belief, candidates: Encoded, prices: Array, objective: Objective, rng: Generator
) -> list[int]:
    """Return the candidates' numbers, the one that is expected to add most first."""
    if belief.posterior is None:
        return list(rng.permutation(len(prices)))
    coarse = belief.posterior.thinned(NUM_POINTS)
    known = coarse.of(candidates, [""] * len(prices))  # none of them was tried
    base = cost(plain(belief.backbone))[objective.cost_name]
    places = np.array([cost_axis(price, base) for price in prices])
    added = expected_gains(
        belief.steps, objective.edge, places, known.gain, np.sqrt(known.gain_variance)
    )
    return list(np.argsort(-added, kind="stable"))


def _candidates(catalogue: Catalogue, belief: Belief, rng: Generator) -> Rows:
    """Return random architectures and neighbours of the best."""
    rows = [catalogue.random(NUM_RANDOM, rng)]
    for one in belief.best:
        row = catalogue.row(one)
        if row is not None:
            rows.append(catalogue.neighbours(row, NUM_NEIGHBOURS, rng))
    return np.unique(np.concatenate(rows), axis=0)


def _capped(evaluations: Sequence[Evaluation], rng: Generator) -> list[Evaluation]:
    """Return the evaluations of at most so many networks: replicated ones first, then any."""
    runs: dict[str, int] = {}
    for one in evaluations:
        if one.purpose != "reference" and one.state not in ("failed", "refused"):
            runs[one.digest] = runs.get(one.digest, 0) + 1
    if len(runs) <= MAX_NETWORKS:
        return list(evaluations)
    order = sorted(rng.permutation(list(runs)), key=lambda key: -min(runs[key], 2))
    kept = {str(key) for key in order[:MAX_NETWORKS]}
    return [one for one in evaluations if one.digest in kept]


@cache
def _catalogue(space: SearchSpace) -> Catalogue:
    """Return the same catalogue each time: it takes a second to make."""
    return Catalogue(space)
