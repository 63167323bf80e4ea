"""What the trainings of a pilot show of each protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from studies.estimates.variance import Components, components
from studies.rankings import Tau, retest

from .lines import Finished

NO_NOISE = 1e-12  # a variance that stands in for 0
PARTS = (5, 2, 1)  # a fifth, half and all of the validation images


@dataclass(frozen=True, slots=True)
class Row:
    """What one protocol can see, with or without averaged weights."""

    epochs: int
    train_images: int
    averaged: bool
    components: Components
    retest: Tau | None
    seconds: float  # of one training, in the mean over the networks

    @property
    def efficiency(self) -> float:
        """Return what a second buys: between² / seed² of one training over its seconds."""
        return self.components.signal / self.seconds


@dataclass(frozen=True, slots=True)
class Size:
    """What so many validation images add to the difference of two single trainings."""

    num_images: int
    added_sd: float  # beyond that of all validation images, 0 to 1
    share: float  # added variance over the variance that stays


def rows(finished: Sequence[Finished]) -> tuple[Row, ...]:
    """Return the facts of every protocol in which some network was trained twice."""
    protocols = dict.fromkeys((one.epochs, one.train_images) for one in finished)
    found = (
        _row([one for one in finished if (one.epochs, one.train_images) == key], averaged)
        for key in protocols
        for averaged in (True, False)
    )
    return tuple(one for one in found if one is not None)


def sizes(finished: Sequence[Finished], row: Row) -> tuple[Size, ...]:
    """Return what smaller validation sets add to the noise of the row's protocol.

    Two given trainings differ on n of all N images by what they differ on all of them, with a
    variance of (1 − n / N)·S² / n more, S² the variance over images of their difference.

    Source: Cochran, Sampling Techniques, 3rd edition, sec. 2.6.
    """
    own = [o for o in finished if (o.epochs, o.train_images) == (row.epochs, row.train_images)]
    every = 8 * len(own[0].correct)
    over_images, stays = _variance_over_images(own), 2 * row.components.seed.sd**2
    numbers = [every // part for part in PARTS]
    added = [(1 - number / every) * over_images / number for number in numbers]
    return tuple(
        Size(number, more**0.5, more / max(stays, NO_NOISE))
        for number, more in zip(numbers, added, strict=True)
    )


def _row(own: Sequence[Finished], averaged: bool) -> Row | None:
    values = _accuracies(own, averaged)
    found = components(values) if values else None
    if found is None:
        return None
    seconds = float(np.mean([one.seconds for one in own]))
    return Row(own[0].epochs, own[0].train_images, averaged, found, retest(values), seconds)


def _accuracies(own: Sequence[Finished], averaged: bool) -> Mapping[str, list[float]]:
    """Return the accuracies of each network; empty where nothing was averaged but is asked for.

    Without averaging the accuracy is the unaveraged one.
    """
    grouped: dict[str, list[float]] = {}
    for one in own:
        if averaged and one.unaveraged is None:
            return {}
        plain = one.accuracy if one.unaveraged is None else one.unaveraged
        grouped.setdefault(one.network, []).append(one.accuracy if averaged else plain)
    return grouped


def _variance_over_images(own: Sequence[Finished]) -> float:
    """Return the mean over pairs of different networks' trainings."""
    bits = [np.unpackbits(np.frombuffer(one.correct, dtype=np.uint8)) for one in own]
    images = np.array(bits, dtype=np.float64)
    pairs = combinations(range(len(own)), 2)
    found = [
        float((images[i] - images[j]).var(ddof=1))
        for i, j in pairs
        if own[i].network != own[j].network
    ]
    return float(np.mean(found))
