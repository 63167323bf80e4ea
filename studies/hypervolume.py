"""The area that a front wins above the plain network, and what a network is expected to add.

Places are on the cost axis (`space.cost_axis`), plain at 0; gains are accuracies over plain's, 0
to 1. The area reaches to the right as far as `edge`: the budget, or 1.1 times the dearest
baseline's cost.

Source: Emmerich, Deutz and Klinkenberg, Hypervolume-based expected improvement, CEC 2011, for two
objectives; here one of them is known, so the expectation is a sum over the steps of the front.

Shapes: M networks asked for, K steps of the front.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
Place = tuple[float, float]  # on the cost axis, and gain over plain


def staircase(points: Iterable[Place]) -> list[Place]:
    """Return the undominated points that gain, cheapest first, behind plain itself at (0, 0)."""
    steps = [(0.0, 0.0)]
    for place, gain in sorted(points, key=lambda one: (one[0], -one[1])):
        if gain > steps[-1][1]:
            steps.append((max(place, 0.0), gain))
    return steps


def hypervolume(points: Iterable[Place], edge: float) -> float:
    """Return the area between the staircase of the points and plain, up to the edge."""
    steps = [*staircase(points), (edge, 0.0)]
    return sum(
        gain * max(0.0, min(end, edge) - min(start, edge))
        for (start, gain), (end, _) in pairwise(steps)
    )


def expected_gains(
    steps: Sequence[Place], edge: float, places_M: Array, means_M: Array, errors_M: Array
) -> Array:
    """Return what each of M networks is expected to add to the area.

    For each step, the width that the network would raise times its expected improvement over the
    step's gain.
    """
    starts_K = np.array([place for place, _ in steps])
    ends_K = np.array([*starts_K[1:], edge])
    levels_K = np.array([gain for _, gain in steps])
    left_MK = np.maximum(starts_K, places_M[:, None])
    widths_MK = np.maximum(0.0, np.minimum(ends_K, edge) - left_MK)
    over_MK = expected_improvement(means_M[:, None] - levels_K, errors_M[:, None])
    gains: Array = (widths_MK * over_MK).sum(axis=1)
    return gains


def expected_improvement(above: Array, error: Array) -> Array:
    """Return E[max(0, N(above, error²))].

    Source: Jones, Schonlau and Welch, Efficient global optimization, J. Global Optim. 13, 1998.
    """
    sd = np.maximum(error, 1e-12)
    z = above / sd
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    improvement: Array = sd * (z * ndtr(z) + density)
    return improvement
