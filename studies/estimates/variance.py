"""How far architectures differ, and how far the trainings of one do: one-way random effects.

An architecture's accuracy is drawn with the standard deviation `between`, each of its trainings
adds noise with the standard deviation `seed`.

Source: Searle, Casella and McCulloch, Variance Components, 1992, ch. 3 (analysis of variance of
unbalanced data). The interval of `seed` is chi-square's; that of `between` is Williams'
(Biometrika 49, 1962) with the unweighted means of Thomas and Hultquist (Annals of Statistics 6,
1978), since a bootstrap over a pilot's five architectures would be far too narrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, fdtri, ndtri  # scipy.stats takes 3 s to import

Array = NDArray[np.float64]
TAIL = 0.025  # on either side of an interval


@dataclass(frozen=True, slots=True)
class Deviation:
    """A standard deviation with its 95 % interval."""

    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Components:
    """What trainings of several architectures vary by."""

    between: Deviation  # of architectures; 0 where the noise alone explains the means
    seed: Deviation  # of the trainings of one architecture
    num_architectures: int
    num_trainings: int

    @property
    def signal(self) -> float:
        """Return between² / seed²: what one training tells, in units of its noise's variance."""
        if self.between.sd == 0:
            return 0.0
        return (self.between.sd / self.seed.sd) ** 2 if self.seed.sd else inf

    @property
    def trainings_each(self) -> float:
        """Return how many trainings each of two typical architectures needs to be told apart.

        Two drawn architectures differ by √2·between (root mean square), the means of their n
        trainings by √(2 / n)·seed of noise: apart (95 %) from n = (1.96·seed / between)² on.
        """
        if self.signal == 0:
            return inf
        return max(1.0, ceil(float(ndtri(1 - TAIL)) ** 2 / self.signal))

    def num_told_apart(self, num_trainings: int) -> int:
        """Return how many architectures so many trainings tell apart, two typical ones each."""
        return int(num_trainings / self.trainings_each)


def components(accuracies: Mapping[str, Sequence[float]]) -> Components | None:
    """Return what the trainings of each architecture show; None of one, or without replicates."""
    groups = [np.asarray(values, dtype=np.float64) for values in accuracies.values()]
    freedom = sum(len(values) - 1 for values in groups)
    if freedom == 0:
        return None
    scatter = sum(float(((values - values.mean()) ** 2).sum()) for values in groups)
    means = [float(values.mean()) for values in groups]
    return components_of([len(values) for values in groups], means, scatter / freedom)


def components_of(
    counts: Sequence[int], means: Sequence[float], seed_variance: float
) -> Components | None:
    """Return the components from each architecture's count and mean, and the pooled variance."""
    num, total = len(counts), sum(counts)
    if num < 2 or total == num:
        return None
    return Components(
        _between(np.array(counts, dtype=np.float64), np.array(means), seed_variance),
        _deviation(seed_variance, *_chi_square_ends(seed_variance, total - num)),
        num,
        total,
    )


def _between(counts: Array, means: Array, noise: float) -> Deviation:
    """Return the architectures' deviation."""
    freedom, total = len(counts) - 1, counts.sum()
    each = (total - (counts**2).sum() / total) / freedom  # the trainings of a typical one
    scatter = float((counts * (means - np.average(means, weights=counts)) ** 2).sum())
    harmonic = float(len(counts) / (1 / counts).sum())
    spread = harmonic * float(means.var(ddof=1))
    others = float(total) - len(counts)
    ends = [
        (spread - float(fdtri(freedom, others, tail)) * noise) * ratio / harmonic
        for tail, ratio in zip((1 - TAIL, TAIL), _chi_square_ends(1.0, freedom), strict=True)
    ]
    return _deviation((scatter / freedom - noise) / float(each), *ends)


def _chi_square_ends(variance: float, freedom: int) -> tuple[float, float]:
    """Return the ends of the interval of a variance with its degrees of freedom."""
    low, high = (variance * freedom / float(chdtri(freedom, p)) for p in (TAIL, 1 - TAIL))
    return low, high


def _deviation(*variances: float) -> Deviation:
    """Return the roots of a variance and its ends; below 0 they are 0."""
    sd, low, high = (sqrt(max(0.0, one)) for one in variances)
    return Deviation(sd, low, high)
