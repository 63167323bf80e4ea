"""The sampler that knows the cost: accuracy is modelled, cost is computed.

It proposes the architecture that is expected to add most to the area of the front, in closed form.
Nothing over a budget, already tried or running is proposed; running trainings count as if they had
ended with their predicted accuracy.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.random import Generator

from space import Architecture, SearchSpace, cost, cost_axis, digest, plain
from studies import Evaluation
from studies.estimates.encoding import Encoded, encoded
from studies.hypervolume import Array, expected_gains

from .belief import Belief, believed
from .catalogue import Catalogue, Rows
from .objective import Objective
from .replicates import most_decisive
from .winsorized import Forecasts

NUM_RANDOM = 300
NUM_NEIGHBOURS = 60  # of each of the best architectures
SPARSE = 0.5  # chance of an empty stage in half of the random candidates


def propose(
    evaluations: Sequence[Evaluation],
    space: SearchSpace,
    objective: Objective,
    rng: Generator,
    forecasts: Forecasts | None = None,
) -> Architecture:
    """Return the architecture of the space to train next.

    Before the noise is known it is a random one. Where nothing that fits is left untried, it is
    the network whose next run may change the front most, or plain.
    """
    catalogue = _catalogue(space)
    belief = believed(evaluations, space.backbone, objective.cost_name, rng, forecasts)
    rows = _candidates(catalogue, belief, objective, rng)
    costs = catalogue.costs(rows)
    fits = np.ones(len(rows), dtype=bool)
    for name, most in objective.limits.items():
        fits &= costs[name] <= most
    rows, prices = rows[fits], costs[objective.cost_name][fits].astype(float)
    found = _ranked(belief, catalogue.encoded(rows), prices, objective, rng)
    tried = {one.digest for one in evaluations if one.state != "refused"}
    ranked = (catalogue.architecture(rows[index]) for index in found)
    untried = next((one for one in ranked if digest(one) not in tried), None)
    decisive = untried or most_decisive(belief.front, objective, evaluations)
    return decisive or plain(space.backbone)


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


def _ranked(
    belief: Belief, candidates: Encoded, prices: Array, objective: Objective, rng: Generator
) -> list[int]:
    """Return the candidates' numbers, the one that is expected to add most first."""
    if belief.posterior is None or not len(prices):
        return list(rng.permutation(len(prices)))
    known, with_running_MR = belief.posterior.unobserved(candidates, belief.running)
    base = belief.front.plain_cost[objective.cost_name]
    places = np.array([cost_axis(price, base) for price in prices])
    variance = np.maximum(known.gain_variance - _soon_known(belief, with_running_MR), 0.0)
    added = expected_gains(belief.steps, objective.edge, places, known.gain, np.sqrt(variance))
    return list(np.argsort(-added, kind="stable"))


def _soon_known(belief: Belief, with_running_MR: Array) -> Array:
    """Return how much of each candidate's variance the running trainings will take away.

    At their predicted values they change no mean.
    """
    posterior = belief.posterior
    assert posterior is not None
    if not with_running_MR.size:
        return np.zeros(len(with_running_MR))
    own_RR = posterior.covariance(belief.running, belief.running)
    noisy_RR = own_RR + (posterior.process.noise**2) * np.eye(len(own_RR))
    found: Array = (with_running_MR * np.linalg.solve(noisy_RR, with_running_MR.T).T).sum(axis=1)
    return found


def _candidates(
    catalogue: Catalogue, belief: Belief, objective: Objective, rng: Generator
) -> Rows:
    """Return random architectures, half of them sparse, and neighbours of the best."""
    choices = catalogue.within(objective.limits)
    random = catalogue.random(NUM_RANDOM, rng, choices)
    sparse = random * (rng.random(random.shape) > SPARSE)
    rows = [random, sparse[: len(sparse) // 2]]
    for one in (*belief.best, plain(catalogue.space.backbone)):
        row = catalogue.row(one)
        if row is not None:
            rows.append(catalogue.neighbours(row, NUM_NEIGHBOURS, rng, choices))
    return np.unique(np.concatenate(rows), axis=0)


@cache
def _catalogue(space: SearchSpace) -> Catalogue:
    """Return the same catalogue each time: it takes a second to make."""
    return Catalogue(space)
