"""The best front that a long search of known truths finds: the most there is to win."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from search.samplers.catalogue import Catalogue, Rows

Array = NDArray[np.float64]
Gains = Callable[[Rows], Array]  # over plain, of rows of the catalogue; accuracies, 0 to 1


def frontier(rows: Rows, catalogue: Catalogue, gains: Gains, cost_name: str) -> Rows:
    """Return the front of these rows, cheapest first, once no change of one stage improves it.

    What differs from plain in one stage is among them.
    """

    def undominated(some: Rows) -> Rows:
        return _undominated(some, gains(some), catalogue.costs(some)[cost_name])

    plain = (0,) * len(catalogue.sizes)
    near = _neighbours([plain], catalogue.sizes)
    kept, seen = undominated(np.concatenate([rows, near])), {plain}
    while new := [row for row in map(tuple, kept.tolist()) if row not in seen]:
        seen.update(new)
        kept = undominated(np.concatenate([kept, _neighbours(new, catalogue.sizes)]))
    return kept


def _undominated(rows: Rows, gains: Array, costs: NDArray[np.int64]) -> Rows:
    """Return the rows that gain more than plain and than everything cheaper."""
    order = np.lexsort((-gains, costs))
    before = np.maximum.accumulate(np.concatenate([[0.0], gains[order][:-1]]))
    kept: Rows = rows[order][gains[order] > before]
    return kept


def _neighbours(rows: Iterable[tuple[int, ...]], sizes: tuple[int, ...]) -> Rows:
    """Return all rows that differ from one of these in one stage."""
    found = []
    for row in rows:
        for stage, size in enumerate(sizes):
            others = np.tile(np.array(row, dtype=np.int64), (size, 1))
            others[:, stage] = np.arange(size)
            found.append(others)
    return np.unique(np.concatenate(found), axis=0)
