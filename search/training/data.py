"""The images of a study: training and validation for everyone, test for an entry in the ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from search.config import NUM_TRAIN
from space import Refusal

from . import cifar, sample
from .cifar import ArrayCheck as ArrayCheck
from .cifar import fetch as fetch
from .cifar import verify as verify
from .cifar import where as where
from .split import split_indices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studies.confirmation.ledger import LedgerEntry

    from .arrays import ByteArray

DATASETS = ("cifar10", "cifar10-sample")
MIN_TRAIN = 10  # one image of each class


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What a study may look at while it chooses. It has no test images."""

    train_images: ByteArray  # N x 32 x 32 x 3; classes in turn: every prefix is balanced
    train_labels: ByteArray  # N, from 0 to 9
    validation_images: ByteArray
    validation_labels: ByteArray

    def __post_init__(self) -> None:
        assert self.train_images.dtype == self.validation_images.dtype == np.uint8
        assert len(self.train_images) == len(self.train_labels)
        assert len(self.validation_images) == len(self.validation_labels)

    def pooled(self) -> Self:
        """Return it with the validation images among those for training, too."""
        return replace(
            self,
            train_images=np.concatenate([self.train_images, self.validation_images]),
            train_labels=np.concatenate([self.train_labels, self.validation_labels]),
        )


def load(
    dataset: str, data_dir: Path | None = None, *, data_seed: int = 0, num_train: int | None = None
) -> Split:
    """Training and validation images, fetched first where the data folder has none.

    A smaller `num_train` is a prefix of a larger one. The sample's parts ignore `data_seed`.

    Raises:
        Refusal: an unknown dataset, a number out of range, data corrupt or out of reach.
    """
    _check_dataset(dataset)
    num_train = NUM_TRAIN[dataset] if num_train is None else num_train
    _check_numbers(dataset, num_train, data_seed)
    if dataset == "cifar10-sample":
        return _sample_split(num_train)
    return _cifar10_split(data_dir, data_seed, num_train)


def open_test(
    dataset: str, data_dir: Path | None, *, entry: LedgerEntry
) -> tuple[ByteArray, ByteArray]:
    """Test images and labels, for the one reading that `entry` has recorded beforehand.

    Raises:
        Refusal: the ledger does not hold the entry.
    """
    from studies.confirmation.ledger import is_recorded

    _check_dataset(dataset)
    if entry.dataset != dataset or not is_recorded(entry):
        raise Refusal(
            f"test images open only with an unused entry in the test ledger, got none for number "
            f"{entry.number} of study {entry.study_uid}: `search confirm` writes it"
        )
    if dataset == "cifar10-sample":
        return sample.read_sample("test")
    return cifar.read_part(data_dir, "test")


def _check_dataset(dataset: str) -> None:
    if dataset not in DATASETS:
        raise Refusal(f"dataset must be one of {', '.join(DATASETS)}, got {dataset!r}")


def _check_numbers(dataset: str, num_train: int, data_seed: int) -> None:
    if not MIN_TRAIN <= num_train <= NUM_TRAIN[dataset]:
        raise Refusal(
            f"num_train must be {MIN_TRAIN} to {NUM_TRAIN[dataset]} for {dataset}, "
            f"got {num_train}: leave it out for all"
        )
    if data_seed < 0:
        raise Refusal(f"data_seed must be 0 or more, got {data_seed}: any such number will do")


def _sample_split(num_train: int) -> Split:
    images, labels = sample.read_sample("train")
    return Split(images[:num_train], labels[:num_train], *sample.read_sample("validation"))


def _cifar10_split(data_dir: Path | None, data_seed: int, num_train: int) -> Split:
    images, labels = cifar.read_part(data_dir, "train")
    train, validation = split_indices(labels, data_seed)
    train = train[:num_train]
    return Split(images[train], labels[train], images[validation], labels[validation])


def ensure(dataset: str, data_dir: Path | None, say: Callable[[str], None]) -> None:
    """Bring the data to this machine before any worker needs it, saying what happens.

    Raises:
        Refusal: the data cannot be had.
    """
    if dataset == "cifar10":
        fetch(data_dir, say)
