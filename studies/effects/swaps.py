"""What networks would gain with something else in one of their stages, by the joint posterior.

Every network that is asked about takes each of its stages from an observed one: it is a row of
donors, which are places among the observed.

Shapes: C contexts, F levels (C networks each), R swaps, N observed networks, M = C·F, S stages.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..estimates.encoding import Encoded
from ..estimates.posterior import Posterior
from ..estimates.similarity import MIXTURES, correlations
from .contrasts import Contrasts, contrasts

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Swap:
    """A stage, from 0, and the observed networks that it is taken from, in turn."""

    stage: int
    donors: tuple[int, ...]


def swapped(posterior: Posterior, contexts: Sequence[int], swaps: Sequence[Swap]) -> Contrasts:
    """Return what each swap changes, on average over the contexts, against plain's stage."""
    assert posterior.encoded is not None, "names alone say nothing of other architectures"
    stages = sorted({one.stage for one in swaps})
    levels = [*swaps, *(Swap(stage, (posterior.reference,)) for stage in stages)]
    num_stages = posterior.encoded.kinds_NS.shape[1]
    donors_FCS = np.stack([_donors(contexts, one, num_stages) for one in levels])
    change_RF = np.eye(len(swaps), len(levels))
    for row, swap in enumerate(swaps):
        change_RF[row, len(swaps) + stages.index(swap.stage)] = -1
    asked = _recombined(posterior.encoded, donors_FCS.reshape(-1, num_stages))
    cross, prior = _mean_correlations(posterior.basis, asked, len(levels))
    return contrasts(
        posterior.process,
        [change_RF @ one_FN for one_FN in cross],
        [change_RF @ one_FF @ change_RF.T for one_FF in prior],
    )


def _donors(contexts: Sequence[int], swap: Swap, num_stages: int) -> Places:
    """Return C x S donors: the contexts, but for one stage."""
    found: Places = np.repeat(np.array(contexts)[:, None], num_stages, axis=1)
    found[:, swap.stage] = np.resize(swap.donors, len(contexts))
    return found


def _mean_correlations(observed: Encoded, asked: Encoded, num_levels: int) -> tuple[Array, Array]:
    """Return, for each prior form, F x N and F x F means over the networks of the levels."""
    num_contexts = len(asked.kinds_NS) // num_levels
    names_M, names_N = _names(asked, observed)
    cross = np.empty((len(MIXTURES), num_levels, len(names_N)))
    prior = np.empty((len(MIXTURES), num_levels, num_levels))
    for level in range(num_levels):  # one at a time: all M x M would not fit
        start = level * num_contexts
        own, rest = slice(start, start + num_contexts), slice(start, None)
        is_seen, is_same = (names_M[own, None] == some for some in (names_N, names_M[rest]))
        seen = correlations(asked[own], observed, is_seen.astype(float))
        among = correlations(asked[own], asked[rest], is_same.astype(float))
        cross[:, level] = np.mean(seen, axis=1)
        means = np.mean(among, axis=1).reshape(len(MIXTURES), -1, num_contexts).mean(axis=2)
        prior[:, level, level:] = prior[:, level:, level] = means
    return cross, prior


def _recombined(observed: Encoded, donors_MS: Places) -> Encoded:
    """Return the networks of these donors."""
    stages = np.arange(donors_MS.shape[1])
    return Encoded(*(getattr(observed, one.name)[donors_MS, stages] for one in fields(Encoded)))


def _names(asked: Encoded, observed: Encoded) -> tuple[Places, Places]:
    """Return a number for each network, equal where all stages are."""
    rows_MX, rows_NX = asked.rows(), observed.rows()
    _, numbers = np.unique(np.vstack([rows_MX, rows_NX]), axis=0, return_inverse=True)
    return numbers[: len(rows_MX)], numbers[len(rows_MX) :]
