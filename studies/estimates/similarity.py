"""How alike two architectures are: the prior correlations of their accuracies.

Five views, each from 0 to 1: stage by stage (the same mechanism, with near hyperparameters, in
the same place), by mechanism wherever it stands, as a whole (every stage alike), by place whatever
the mechanism, and by what each stage's attention costs. A mixture of them, and of none at all, is
what the posterior chooses among.

Cost is a view since it predicts accuracy about as well as anything cheap does (White, Khodak, Tu
et al., A deeper look at zero-cost proxies for lightweight NAS, ICLR blog 2022). What each view
is worth on real trainings: docs/search-quality.md.

Shapes: N and M architectures, S stages.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

from space import MECHANISMS

from .encoding import Encoded

Array = NDArray[np.float64]
Places = NDArray[np.int64]
OTHER_PLACE = 0.7  # correlation of one mechanism in two positions of a stage
OTHER_BLOCKS = 0.8  # in other blocks of it
FAR_SETTING = 0.8  # with a hyperparameter at the other end of its range
OTHER_STAGE = 0.4  # as a whole, for each stage with another mechanism
OTHER_POSITION = 0.3  # by place, of two mechanisms in a stage
NEAR_COST = 0.3  # apart on the cost axis, where correlation by cost falls to 1/e

# Weights of: by stage, by mechanism, as a whole, by place, by cost, each for itself.
MIXTURES = (
    (0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    (0.6, 0.28, 0.1, 0.0, 0.0, 0.02),
    (0.25, 0.2, 0.1, 0.43, 0.0, 0.02),
    (0.1, 0.0, 0.0, 0.6, 0.28, 0.02),
    (0.2, 0.1, 0.0, 0.2, 0.48, 0.02),
)


def similarities(first: Encoded, second: Encoded) -> tuple[Array, ...]:
    """Return N x M correlations: by stage, by mechanism, as a whole, by place, and by cost."""
    num_stages = first.kinds_NS.shape[1]
    stages = [_stage(first, second, stage) for stage in range(num_stages)]
    whole = prod(OTHER_STAGE + (1 - OTHER_STAGE) * views[0] for views in stages)
    likeness, placed, priced = sum(stages) / num_stages
    return likeness, _by_mechanism(first, second), whole, placed, priced


def correlations(first: Encoded, second: Encoded, same_NM: Array) -> list[Array]:
    """Return the prior correlations of every mixture; `same` is 1 where both are one network."""
    parts = np.stack([*similarities(first, second), same_NM])
    return list(np.tensordot(np.array(MIXTURES), parts, axes=1))


def _stage(first: Encoded, second: Encoded, stage: int) -> Array:
    """Return the 3 x N x M likeness of one stage: of what stands in it, by place, and by cost.

    Stages repeat more than networks do, so each pair of different ones is compared once.
    """
    (ours, our_places), (theirs, their_places) = _distinct(first, stage), _distinct(second, stage)
    views = np.stack([view(ours, theirs) for view in (_by_content, _by_place, _by_cost)])
    found: Array = views.take(their_places, axis=2).take(our_places, axis=1)
    return found


def _distinct(found: Encoded, stage: int) -> tuple[Encoded, Places]:
    """Return the stage of the networks, each different one once, and where each network's is."""
    one = found.of_stage(stage)
    first_places: dict[bytes, int] = {}
    places = [first_places.setdefault(row.tobytes(), n) for n, row in enumerate(one.rows())]
    kept, inverse = np.unique(np.array(places, dtype=np.int64), return_inverse=True)
    return one[kept], inverse


def _by_content(first: Encoded, second: Encoded) -> Array:
    """Return the likeness of what stands in a stage; two empty stages are alike."""
    apart = _apart(first.settings_NSH, second.settings_NSH).sum(axis=0)
    likeness = np.exp(np.log(FAR_SETTING) * apart)
    likeness *= np.where(first.places_NS != second.places_NS.T, OTHER_PLACE, 1.0)
    likeness *= np.where(first.blocks_NS != second.blocks_NS.T, OTHER_BLOCKS, 1.0)
    return np.where(first.kinds_NS != second.kinds_NS.T, 0.0, likeness)


def _by_place(first: Encoded, second: Encoded) -> Array:
    """Return 1 where a stage is filled in the same position, or empty in both."""
    ours, theirs = first.kinds_NS > 0, (second.kinds_NS > 0).T
    in_both = np.where(first.places_NS == second.places_NS.T, 1.0, OTHER_POSITION)
    return np.where(ours == theirs, np.where(ours, in_both, 1.0), 0.0)


def _by_cost(first: Encoded, second: Encoded) -> Array:
    """Return how near MACs and parameters of a stage are, on average."""
    nearness = np.exp(-_apart(first.costs_NS2, second.costs_NS2) / NEAR_COST)
    found: Array = nearness.mean(axis=0)
    return found


def _apart(ours_N1X: Array, theirs_M1X: Array) -> Array:
    """Return the X x N x M distances, which are summed the fastest in this order."""
    ours_XN, theirs_XM = (np.ascontiguousarray(one[:, 0].T) for one in (ours_N1X, theirs_M1X))
    return np.abs(ours_XN[:, :, None] - theirs_XM[:, None])


def _by_mechanism(first: Encoded, second: Encoded) -> Array:
    """Return the cosine of the shares of the stages that each mechanism, or none, takes."""
    return _shares(first) @ _shares(second).T


def _shares(found: Encoded) -> Array:
    kinds = np.arange(len(MECHANISMS) + 1)
    shares = (found.kinds_NS[:, :, None] == kinds).mean(axis=1)
    normed: Array = shares / np.linalg.norm(shares, axis=1, keepdims=True)
    return normed
