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

import numpy as np
from numpy.typing import NDArray

from space import MECHANISMS

from .encoding import Encoded

Array = NDArray[np.float64]
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
    by_stage = [_stage(first, second, stage) for stage in range(first.kinds_NS.shape[1])]
    whole = np.prod([OTHER_STAGE + (1 - OTHER_STAGE) * one for one in by_stage], axis=0)
    rest = (view(first, second) for view in (_by_place, _by_cost))
    return np.mean(by_stage, axis=0), _by_mechanism(first, second), whole, *rest


def correlations(first: Encoded, second: Encoded, same_NM: Array) -> list[Array]:
    """Return the prior correlations of every mixture; `same` is 1 where both are one network."""
    parts = np.stack([*similarities(first, second), same_NM])
    return list(np.tensordot(np.array(MIXTURES), parts, axes=1))


def _stage(first: Encoded, second: Encoded, stage: int) -> Array:
    """Return the likeness of what stands in one stage; two empty stages are alike."""

    def differ(name: str) -> NDArray[np.bool_]:
        ours, theirs = getattr(first, name)[:, stage], getattr(second, name)[:, stage]
        found: NDArray[np.bool_] = ours[:, None] != theirs[None, :]
        return found

    ours, theirs = first.settings_NSH[:, stage], second.settings_NSH[:, stage]
    apart = np.abs(ours[:, None, :] - theirs[None, :, :]).sum(axis=2)
    likeness = FAR_SETTING**apart
    likeness *= np.where(differ("places_NS"), OTHER_PLACE, 1.0)
    likeness *= np.where(differ("blocks_NS"), OTHER_BLOCKS, 1.0)
    return np.where(differ("kinds_NS"), 0.0, likeness)


def _by_mechanism(first: Encoded, second: Encoded) -> Array:
    """Return the cosine of the shares of the stages that each mechanism, or none, takes."""
    return _shares(first) @ _shares(second).T


def _by_place(first: Encoded, second: Encoded) -> Array:
    """Return how many stages are filled in the same position, or empty in both."""
    ours, theirs = first.kinds_NS[:, None] > 0, second.kinds_NS[None] > 0
    in_both = np.where(first.places_NS[:, None] == second.places_NS[None], 1.0, OTHER_POSITION)
    found: Array = np.where(ours == theirs, np.where(ours, in_both, 1.0), 0.0).mean(axis=2)
    return found


def _by_cost(first: Encoded, second: Encoded) -> Array:
    """Return how near MACs and parameters of the stages are, on average."""
    apart = np.abs(first.costs_NS2[:, None] - second.costs_NS2[None])
    found: Array = np.exp(-apart / NEAR_COST).mean(axis=(2, 3))
    return found


def _shares(found: Encoded) -> Array:
    kinds = np.arange(len(MECHANISMS) + 1)
    shares = (found.kinds_NS[:, :, None] == kinds).mean(axis=1)
    normed: Array = shares / np.linalg.norm(shares, axis=1, keepdims=True)
    return normed
