"""Which images train and which validate: a pure function of the labels and a seed."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .arrays import ByteArray

Indices: TypeAlias = npt.NDArray[np.intp]

NUM_CLASSES = 10
VALIDATION_SHARE = 10  # one image of so many


def split_indices(labels: ByteArray, data_seed: int) -> tuple[Indices, Indices]:
    """Indices of the training and of the validation images, for labels that are balanced.

    Every image draws a 64-bit key from `PCG64(data_seed)`; in the order of the keys, the first
    tenth of each class validates. Keys are raw because numpy promises the stream of a bit
    generator for ever, but not that of `Generator.permutation`. Both results run through the
    classes in turn, so every prefix is as balanced as its length allows.
    """
    keys = np.random.PCG64(data_seed).random_raw(len(labels))
    shuffled = np.argsort(keys, kind="stable")
    by_class = np.stack([shuffled[labels[shuffled] == label] for label in range(NUM_CLASSES)])
    num_validation = by_class.shape[1] // VALIDATION_SHARE
    return by_class[:, num_validation:].T.ravel(), by_class[:, :num_validation].T.ravel()
