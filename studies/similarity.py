"""How alike two architectures are: the prior correlations of their accuracies.

Three views, each from 0 to 1: stage by stage (the same mechanism, with near hyperparameters, in
the same place), by mechanism wherever it stands, and as a whole (every stage alike). A mixture of
them, and of none at all, is what the posterior chooses among.

Shapes: N and M architectures, S stages, H hyperparameters of one mechanism.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space import MECHANISMS, Architecture, Placement
from space.place import BLOCKS, POSITIONS

Array = NDArray[np.float64]
NUM_SETTINGS = max(len(kind.searched) for kind in MECHANISMS.values())
OTHER_PLACE = 0.7  # correlation of one mechanism in two positions of a stage
OTHER_BLOCKS = 0.8  # in other blocks of it
FAR_SETTING = 0.8  # with a hyperparameter at the other end of its range
OTHER_STAGE = 0.4  # as a whole, for each stage with another mechanism

# Weights of: by stage, by mechanism, as a whole, each for itself.
MIXTURES = (
    (0.0, 0.0, 0.0, 1.0),
    (0.3, 0.3, 0.3, 0.1),
    (0.6, 0.2, 0.1, 0.1),
    (0.2, 0.6, 0.1, 0.1),
    (0.1, 0.1, 0.7, 0.1),
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """What stands in each stage, as numbers; kind 0 is none."""

    kinds_NS: NDArray[np.int64]
    places_NS: NDArray[np.int64]
    blocks_NS: NDArray[np.int64]
    settings_NSH: Array

    def __getitem__(self, index: slice | NDArray[np.int64]) -> "Encoded":
        """Return some of the architectures."""
        return Encoded(
            self.kinds_NS[index],
            self.places_NS[index],
            self.blocks_NS[index],
            self.settings_NSH[index],
        )


def encoded(architectures: Sequence[Architecture]) -> Encoded:
    """Return the architectures, which have one number of stages, as numbers.

    Studies propose at most one placement in a stage; of more, the first counts.
    """
    rows = [[_numbers(stage[0]) if stage else None for stage in a.stages] for a in architectures]
    shape = len(rows), len(rows[0]) if rows else 0
    kinds, places, blocks = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    settings = np.zeros((*shape, NUM_SETTINGS))
    for n, row in enumerate(rows):
        for s, found in enumerate(row):
            if found is not None:
                kinds[n, s], places[n, s], blocks[n, s] = found[:3]
                settings[n, s] = found[3]
    return Encoded(kinds, places, blocks, settings)


def similarities(first: Encoded, second: Encoded) -> tuple[Array, Array, Array]:
    """Return N x M correlations: by stage, by mechanism, and as a whole."""
    by_stage = [_stage(first, second, stage) for stage in range(first.kinds_NS.shape[1])]
    whole = np.prod([OTHER_STAGE + (1 - OTHER_STAGE) * one for one in by_stage], axis=0)
    return np.mean(by_stage, axis=0), _by_mechanism(first, second), whole


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


def _shares(found: Encoded) -> Array:
    kinds = np.arange(len(MECHANISMS) + 1)
    shares = (found.kinds_NS[:, :, None] == kinds).mean(axis=1)
    normed: Array = shares / np.linalg.norm(shares, axis=1, keepdims=True)
    return normed


def _numbers(placement: Placement) -> tuple[int, int, int, list[float]]:
    attention = placement.attention
    kind = 1 + list(MECHANISMS).index(attention.kind)
    settings = [0.0] * NUM_SETTINGS
    for i, (name, values) in enumerate(attention.searched.items()):
        value = getattr(attention, name)
        if attention.is_active(name) and value in values and len(values) > 1:
            settings[i] = values.index(value) / (len(values) - 1)
    return kind, POSITIONS.index(placement.position), BLOCKS.index(placement.blocks), settings
