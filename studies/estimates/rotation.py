"""What was seen, in the rotation that makes its covariance diagonal at every point of the grid.

V = σ² diag(1/counts) + τ² K is, scaled by the roots of the counts, σ² + τ² times a matrix that no
point of the grid changes: one eigendecomposition of it serves them all.

Shapes: N architectures with runs, or directions after the rotation; P points of the grid.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, sec. 2.2 and 2.7; Gelman
et al., Bayesian Data Analysis, 3rd edition, sec. 5.4, for K = 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observed:
    """Sufficient statistics: each architecture's count and mean, and the scatter within.

    A count may be below 1: a value that is known with more than one run's noise.
    """

    counts: Array
    means: Array
    scatter: float
    degrees_of_freedom: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """One prior form in its rotation.

    Directions in which there is no data, nor anything that is asked for, need no column: they all
    have the eigenvalue `rest`, and are only counted.
    """

    correlations_NN: Array
    rotation_NN: Array  # diag(√counts) · eigenvectors
    eigenvalues_N: Array
    means_N: Array
    ones_N: Array
    num_rest: int = 0
    rest: float = 0.0
    log_scale: float = 0.0  # of the density, where forms are scaled by different roots


def rotated(observed: Observed, correlations_NN: Array) -> Rotated:
    """Return a prior form's exact rotation."""
    root_N = np.sqrt(observed.counts)
    values, vectors = eigh(root_N[:, None] * correlations_NN * root_N, check_finite=False)
    rotation = root_N[:, None] * vectors
    return Rotated(
        correlations_NN,
        rotation,
        np.maximum(values, 0.0),
        rotation.T @ observed.means,
        rotation.sum(axis=0),
    )


def grid(noises: Array, spreads: Array) -> tuple[Array, Array]:
    """Return σ and τ of all points, as columns."""
    sigma, tau = (one.ravel()[:, None] for one in np.meshgrid(noises, spreads, indexing="ij"))
    return sigma, tau


def common_mean(found: Rotated, diagonal_PN: Array) -> tuple[Array, Array]:
    """Return the mean that all share and its variance, by generalised least squares."""
    variance = 1 / (found.ones_N**2 / diagonal_PN).sum(axis=1, keepdims=True)
    mean = variance * (found.ones_N * found.means_N / diagonal_PN).sum(axis=1, keepdims=True)
    return mean, variance


def log_densities(observed: Observed, found: Rotated, sigma: Array, tau: Array) -> Array:
    """Return the log posterior density of each point of the grid, up to a constant."""
    diagonal = sigma**2 + tau**2 * found.eigenvalues_N
    common, variance = common_mean(found, diagonal)
    between = np.log(diagonal) + (found.means_N - found.ones_N * common) ** 2 / diagonal
    within = observed.degrees_of_freedom * np.log(sigma) + observed.scatter / (2 * sigma**2)
    density: Array = 0.5 * np.log(variance[:, 0]) - 0.5 * between.sum(axis=1) - within[:, 0]
    density += np.log(tau[:, 0])  # the grid is even in log τ, the prior in τ
    if found.num_rest:
        rest = np.log(sigma[:, 0] ** 2 + tau[:, 0] ** 2 * found.rest)
        density += found.log_scale - 0.5 * found.num_rest * rest
    return density
