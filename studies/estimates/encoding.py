"""Architectures as numbers, stage by stage: what their likeness is computed from.

Shapes: N architectures, S stages, H hyperparameters of one mechanism.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from space import MECHANISMS, Architecture, Placement, cost_axis, plain_cost, plan, slots_cost
from space.place import BLOCKS, POSITIONS

Array = NDArray[np.float64]
NUM_SETTINGS = max(len(kind.searched) for kind in MECHANISMS.values())


@dataclass(frozen=True, slots=True)
class Encoded:
    """What stands in each stage, as numbers; kind 0 is none."""

    kinds_NS: NDArray[np.int64]
    places_NS: NDArray[np.int64]
    blocks_NS: NDArray[np.int64]
    settings_NSH: Array  # each from 0 to 1
    costs_NS2: Array  # MACs and parameters that the stage's attention adds, on the cost axis

    def __getitem__(self, index: slice | NDArray[np.int64]) -> "Encoded":
        """Return some of the architectures."""
        return Encoded(
            self.kinds_NS[index],
            self.places_NS[index],
            self.blocks_NS[index],
            self.settings_NSH[index],
            self.costs_NS2[index],
        )

    def of_stage(self, stage: int) -> "Encoded":
        """Return one stage of every architecture."""
        return Encoded(*(getattr(self, one.name)[:, [stage]] for one in fields(self)))

    def rows(self) -> Array:
        """Return one row of numbers for each architecture."""
        columns = [np.atleast_3d(getattr(self, one.name)) for one in fields(self)]
        stacked = np.concatenate(columns, axis=2)
        return stacked.reshape(len(stacked), stacked.shape[1] * stacked.shape[2])


def encoded(architectures: Sequence[Architecture]) -> Encoded:
    """Return the architectures, which have one number of stages, as numbers.

    Studies propose at most one placement in a stage; of more, the first counts.
    """
    shape = len(architectures), len(architectures[0].stages) if architectures else 0
    kinds, places, blocks = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    settings, costs = np.zeros((*shape, NUM_SETTINGS)), np.zeros((*shape, 2))
    for n, architecture in enumerate(architectures):
        costs[n] = _costs(architecture)
        for s, stage in enumerate(architecture.stages):
            if stage:
                kinds[n, s], places[n, s], blocks[n, s] = _numbers(stage[0])
                settings[n, s] = _settings(stage[0])
    return Encoded(kinds, places, blocks, settings, costs)


def _numbers(placement: Placement) -> tuple[int, int, int]:
    kind = 1 + list(MECHANISMS).index(placement.attention.kind)
    return kind, POSITIONS.index(placement.position), BLOCKS.index(placement.blocks)


def _settings(placement: Placement) -> list[float]:
    attention = placement.attention
    found = [0.0] * NUM_SETTINGS
    for i, (name, values) in enumerate(attention.searched.items()):
        value = getattr(attention, name)
        if attention.is_active(name) and value in values and len(values) > 1:
            found[i] = values.index(value) / (len(values) - 1)
    return found


@lru_cache(maxsize=2**15)  # each proposal asks for the whole study's again
def _costs(architecture: Architecture) -> tuple[tuple[float, float], ...]:
    least = plain_cost(architecture.backbone, architecture.num_classes)
    found = plan(architecture)
    added = [
        slots_cost(slot for slot in found if slot.stage == stage)
        for stage in range(1, len(architecture.stages) + 1)
    ]
    return tuple(
        (
            cost_axis(least.macs + one.macs, least.macs),
            cost_axis(least.params + one.params, least.params),
        )
        for one in added
    )
