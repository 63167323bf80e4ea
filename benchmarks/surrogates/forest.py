"""A random forest of real trainings: what an architecture of the whole space is said to gain.

Never a Gaussian process: that is what known-cost itself believes in. A forest is piecewise
constant and full of interactions, which no kernel of ours describes.

Source: Breiman, Random forests, Machine Learning 45, 2001; a third of the features at a split.

Shapes: N architectures, F features.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.samplers.catalogue import Catalogue, Rows
from space import MECHANISMS, cost_axis
from space.place import BLOCKS, POSITIONS

from .trainings import Trained

Array = NDArray[np.float64]
NUM_TREES = 300
SHARE = 1 / 3  # of the features that a split may use


@dataclass(frozen=True)
class Features:
    """What a forest is told of an architecture, stage by stage.

    Mechanism, position and blocks as 0 and 1, the hyperparameters from 0 to 1 in their order, and
    what the placement alone costs, on the cost axis.
    """

    catalogue: Catalogue

    def of(self, rows: Rows) -> Array:
        """Return N x F features."""
        return np.hstack([table[rows[:, stage]] for stage, table in enumerate(self._tables)])

    @cached_property
    def _tables(self) -> list[Array]:
        return [self._table(stage) for stage in range(len(self.catalogue.sizes))]

    def _table(self, stage: int) -> Array:
        """Return the features of every choice of a stage."""
        rows = np.zeros((self.catalogue.sizes[stage], len(self.catalogue.sizes)), dtype=np.int64)
        rows[:, stage] = np.arange(len(rows))
        known, costs = self.catalogue.encoded(rows), self.catalogue.costs(rows)
        kinds = known.kinds_NS[:, stage, None]
        shares = [[cost_axis(price, one[0]) for price in one] for one in costs.values()]
        parts = (
            kinds == 1 + np.arange(len(MECHANISMS)),
            (known.places_NS[:, stage, None] == np.arange(len(POSITIONS))) & (kinds > 0),
            (known.blocks_NS[:, stage, None] == np.arange(len(BLOCKS))) & (kinds > 0),
            known.settings_NSH[:, stage],
            np.array(shares).T,
        )
        return np.hstack([np.asarray(part, dtype=np.float64) for part in parts])


@dataclass
class Forest:
    """A forest that is fitted to the networks that the catalogue has."""

    catalogue: Catalogue
    trained: Sequence[Trained]

    def __post_init__(self) -> None:
        from sklearn.ensemble import RandomForestRegressor  # of the extra `peers`

        found = [(self.catalogue.row(one.architecture), one) for one in self.trained]
        self.fitted = [(row, one) for row, one in found if row is not None]
        self._features = Features(self.catalogue)
        self._model = RandomForestRegressor(
            NUM_TREES, max_features=SHARE, oob_score=True, random_state=0
        )
        rows = np.array([row for row, _ in self.fitted])
        self._model.fit(self._features.of(rows), self._gains)

    def gains(self, rows: Rows) -> Array:
        """Return what architectures gain over plain."""
        return self._predicted(rows) - self._plain

    def explained(self) -> dict[str, float]:
        """Return out-of-bag R² over all networks, and over those of each source alone."""
        from sklearn.metrics import r2_score

        said: Array = self._model.oob_prediction_
        sources = np.array([one.source for _, one in self.fitted])
        parts = {"all": sources != ""} | {name: sources == name for name in sorted({*sources})}
        return {
            str(name): float(r2_score(self._gains[part], said[part]))
            for name, part in parts.items()
            if part.sum() > 1
        }

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits of what the forest is fitted to."""
        rows = [(row, one.gain) for row, one in self.fitted]
        facts = [self.catalogue.space.digest(), NUM_TREES, SHARE, rows]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    @cached_property
    def _gains(self) -> Array:
        return np.array([one.gain for _, one in self.fitted])

    @cached_property
    def _plain(self) -> float:
        return float(self._predicted(np.zeros((1, len(self.catalogue.sizes)), dtype=np.int64))[0])

    def _predicted(self, rows: Rows) -> Array:
        found: Array = self._model.predict(self._features.of(rows))
        return found
