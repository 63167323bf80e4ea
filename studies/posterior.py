"""Estimates of accuracy with their uncertainty, from the evaluations of a study.

A hierarchical normal model: an architecture's true accuracy is drawn around a common mean with
standard deviation τ, each training adds noise with standard deviation σ. Both are integrated over
on a grid, so three replicates do not pretend to know the noise. Estimates are drawn towards the
common mean as far as the noise makes them, which is what takes the optimism out of the best of
many.

Source: Gelman et al., Bayesian Data Analysis, 3rd edition, sec. 5.4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

Array = NDArray[np.float64]
GRID = np.geomspace(0.02, 4.0, 60)  # σ and τ in units of the spread of all evaluations
NEGLIGIBLE = 1e-9  # of the greatest weight: all such points together weigh less than 4e-6


@dataclass(frozen=True, slots=True)
class Noise:
    """How far two trainings of one architecture differ, pooled over all replicates."""

    sd: float
    degrees_of_freedom: int

    @property
    def resolution(self) -> float:
        """Return the difference below which two single runs cannot be told apart (95 %)."""
        return float(stdtrit(self.degrees_of_freedom, 0.975)) * sqrt(2) * self.sd


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the study knows of one architecture; all accuracies from 0 to 1."""

    accuracy: float
    standard_error: float
    num_evaluations: int
    raw_mean: float
    gain: float  # over the plain network
    gain_error: float
    probability_better: float  # that the gain is above 0


@dataclass(frozen=True, slots=True)
class _Groups:
    """Sufficient statistics: each architecture's count and mean, and the scatter within."""

    counts: Array
    means: Array
    scatter: float
    degrees_of_freedom: int


def pooled_noise(accuracies: Mapping[str, Sequence[float]]) -> Noise | None:
    """Return the noise that the replicates show, or None without any."""
    groups = _groups(accuracies)
    if groups.degrees_of_freedom == 0:
        return None
    return Noise(sqrt(groups.scatter / groups.degrees_of_freedom), groups.degrees_of_freedom)


def estimates(
    accuracies: Mapping[str, Sequence[float]], plain: str, *, least_noise: float = 0.0
) -> dict[str, Estimate]:
    """Return the estimate of every architecture from the accuracies of its runs, by digest.

    `least_noise` is a deviation that the noise surely has: what independently flipping images
    alone make, which few replicates can miss by luck. Without replicates, or without any spread,
    the raw means stand with an unknown error (nan).
    """
    groups = _groups(accuracies)
    spread = _spread(accuracies)
    if groups.degrees_of_freedom == 0 or spread == 0 or plain not in accuracies:
        return {key: _unknown(values) for key, values in accuracies.items()}
    reference = list(accuracies).index(plain)
    lowest = max(GRID[0] * spread, least_noise)  # the prior is cut there, not piled up there
    noises = np.geomspace(lowest, max(GRID[-1] * spread, 2 * lowest), len(GRID))
    grids = (noises, spread * GRID)
    mean, variance, gain, gain_variance, better = _integrated(groups, grids, reference)
    return {
        key: Estimate(
            accuracy=float(mean[i]),
            standard_error=sqrt(variance[i]),
            num_evaluations=len(values),
            raw_mean=float(groups.means[i]),
            gain=float(gain[i]),
            gain_error=sqrt(gain_variance[i]),
            probability_better=float(better[i]),
        )
        for i, (key, values) in enumerate(accuracies.items())
    }


def _integrated(groups: _Groups, grids: tuple[Array, Array], reference: int) -> tuple[Array, ...]:
    """Return means and variances of accuracies and gains, and P(gain > 0), over the grid."""
    noises, spreads = np.meshgrid(*grids, indexing="ij")
    sigma, tau = noises.ravel()[:, None], spreads.ravel()[:, None]
    weights = _weights(groups, sigma, tau)
    kept = weights > NEGLIGIBLE * weights.max()  # a tenth to half of the grid
    sigma, tau, weights = sigma[kept], tau[kept], weights[kept] / weights[kept].sum()
    precision = 1 / (sigma**2 / groups.counts + tau**2)
    common_variance = 1 / precision.sum(axis=1, keepdims=True)
    common = common_variance * (precision * groups.means).sum(axis=1, keepdims=True)
    pull = precision * sigma**2 / groups.counts  # 1: all common mean, 0: all own mean
    mean = (1 - pull) * groups.means + pull * common
    own_variance = pull * tau**2
    gain = mean - mean[:, [reference]]
    apart = (pull - pull[:, [reference]]) ** 2 * common_variance
    gain_variance = own_variance + own_variance[:, [reference]] + apart
    gain_variance[:, reference] = 0.0
    better = ndtr(gain / np.sqrt(np.maximum(gain_variance, 1e-30)))
    return (
        *_mixture(weights, mean, own_variance + pull**2 * common_variance),
        *_mixture(weights, gain, gain_variance),
        weights @ better,
    )


def _weights(groups: _Groups, sigma: Array, tau: Array) -> Array:
    """Return the posterior weight of each grid point; priors flat in log σ and in τ."""
    variance = sigma**2 / groups.counts + tau**2
    common_variance = 1 / (1 / variance).sum(axis=1, keepdims=True)
    common = common_variance * (groups.means / variance).sum(axis=1, keepdims=True)
    between = np.log(variance) + (groups.means - common) ** 2 / variance
    within = groups.degrees_of_freedom * np.log(sigma) + groups.scatter / (2 * sigma**2)
    log_density = 0.5 * np.log(common_variance[:, 0]) - 0.5 * between.sum(axis=1) - within[:, 0]
    log_density += np.log(tau[:, 0])  # the grid is even in log τ, the prior in τ
    weights = np.exp(log_density - log_density.max())
    normalised: Array = weights / weights.sum()
    return normalised


def _mixture(weights: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return mean and variance of a weighted mixture."""
    overall = weights @ mean
    return overall, weights @ (variance + (mean - overall) ** 2)


def _groups(accuracies: Mapping[str, Sequence[float]]) -> _Groups:
    arrays = [np.asarray(values, dtype=np.float64) for values in accuracies.values()]
    return _Groups(
        counts=np.array([len(values) for values in arrays], dtype=np.float64),
        means=np.array([values.mean() for values in arrays]),
        scatter=float(sum(((values - values.mean()) ** 2).sum() for values in arrays)),
        degrees_of_freedom=sum(len(values) - 1 for values in arrays),
    )


def _spread(accuracies: Mapping[str, Sequence[float]]) -> float:
    everything = [one for values in accuracies.values() for one in values]
    return float(np.std(everything)) if everything else 0.0


def _unknown(values: Sequence[float]) -> Estimate:
    mean = float(np.mean(values))
    return Estimate(mean, nan, len(values), mean, nan, nan, nan)
