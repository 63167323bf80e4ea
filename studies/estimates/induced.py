"""The posterior of many networks by way of some of them: its cost is linear in their number.

What networks share is learned through `inducing` ones among them. What these leave of a network's
prior variance is its own deviation, independent of all others': FITC. An inducing network has
none, so it is treated exactly; so is each network's own deviation, by its own runs.

A network's noise is then σ²/count + τ² own, and no rotation is diagonal for all σ and τ: it is
made at the likeliest point, where it is exact, and elsewhere the noises keep their proportions.

Shapes: N architectures with runs, I inducing ones, K directions, P kept points of the grid.

Source: Quiñonero-Candela and Rasmussen, A Unifying View of Sparse Approximate Gaussian Process
Regression, JMLR 6, 2005, sec. 6 (FITC). What it is worth here: docs/performance.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular
from scipy.special import ndtr

from .process import TINY, Form, Moments, Process, integrated, mixture
from .rotation import Observed, Rotated, grid, log_densities

Array = NDArray[np.float64]
Places = NDArray[np.int64]
NUM_INDUCING = 600
NUM_ROUNDS = 1  # of finding the likeliest point, by a rotation that is exact at the last one
LEAST_VALUE = 1e-12  # of the greatest eigenvalue: directions below it are noise of rounding
LEAST_SPREAD = 0.05  # of the variance of the means, to begin with


@dataclass(frozen=True, slots=True)
class Shared:
    """What one prior form has all networks share with the inducing ones."""

    lower_II: Array  # Cholesky's factor of their correlations
    features_NI: Array  # inner products of these are the shared correlations
    own_N: Array  # what is left of each prior variance, in units of τ²


@dataclass(frozen=True, slots=True)
class Induced:
    """The observed networks as the inducing ones see them."""

    places: Places  # of the inducing ones, ascending
    observed: Observed
    shared: tuple[Shared, ...]  # of each prior form

    def moments(self, process: Process, reference: int) -> Moments:
        """Return what is known of the observed networks; gains are over one of them."""
        pairs = zip(process.forms, self.shared, strict=True)
        kept = [(form, shared) for form, shared in pairs if form is not None]
        found = [_moments(form, shared, self.observed, reference) for form, shared in kept]
        weights_P = np.concatenate([form.weights_P for form, _ in kept])
        mean, variance, gain, gain_variance = (
            np.concatenate(parts) for parts in zip(*found, strict=True)
        )
        better = ndtr(gain / np.sqrt(np.maximum(gain_variance, TINY)))
        return Moments(
            *mixture(weights_P, mean, variance),
            *mixture(weights_P, gain, gain_variance),
            weights_P @ better,
        )


def inducing_places(observed: Observed, reference: int, number: int = NUM_INDUCING) -> Places:
    """Return the places of the inducing networks.

    The reference, those of the most runs and highest means, which fronts are made of, and as many
    of the rest, evenly spread.
    """
    half = number // 2
    best = np.lexsort((-observed.means, -observed.counts))[:half]
    rest = np.setdiff1d(np.arange(len(observed.means)), best)
    even = rest[np.linspace(0, len(rest) - 1, min(half, len(rest))).round().astype(np.int64)]
    return np.unique(np.concatenate([[reference], best, even]))


def fitted_by(
    places: Places,
    observed: Observed,
    correlations: Sequence[Array],
    noises: Array,
    spreads: Array,
) -> tuple[Process, Induced]:
    """Return the posterior by the inducing networks; `correlations` with them are N x I."""
    shared = tuple(_shared(one, places) for one in correlations)
    rotations = [
        _rotated(observed, one, correlations_NI[places], noises, spreads)
        for one, correlations_NI in zip(shared, correlations, strict=True)
    ]
    return integrated(observed, rotations, noises, spreads), Induced(places, observed, shared)


def _shared(correlations_NI: Array, places: Places) -> Shared:
    lower_II = cholesky(correlations_NI[places], lower=True)
    features_NI = solve_triangular(lower_II, correlations_NI.T, lower=True).T
    own_N = np.maximum(1 - (features_NI**2).sum(axis=1), 0.0)
    own_N[places] = 0.0  # without rounding
    return Shared(lower_II, features_NI, own_N)


def _rotated(
    observed: Observed, shared: Shared, prior_II: Array, noises: Array, spreads: Array
) -> Rotated:
    """Return the rotation that is exact at the likeliest point of the grid."""
    sigma, tau = grid(noises, spreads)
    noise = observed.scatter / max(observed.degrees_of_freedom, 1)
    variance = float(observed.means.var())
    spread = max(variance - noise * float((1 / observed.counts).mean()), LEAST_SPREAD * variance)
    for _ in range(NUM_ROUNDS):
        found = _rotated_at(observed, shared, prior_II, noise, spread)
        likeliest = int(log_densities(observed, found, sigma, tau).argmax())
        noise, spread = float(sigma[likeliest, 0] ** 2), float(tau[likeliest, 0] ** 2)
    return _rotated_at(observed, shared, prior_II, noise, spread)


def _rotated_at(
    observed: Observed, shared: Shared, prior_II: Array, noise: float, spread: float
) -> Rotated:
    """Return the rotation that is exact where the variances σ² and τ² are these."""
    rest = float(shared.own_N.mean())
    noise_N = (noise / observed.counts + spread * shared.own_N) / (noise + spread * rest)
    root_N = noise_N**-0.5
    scaled_NI = root_N[:, None] * shared.features_NI
    values, vectors = eigh(scaled_NI.T @ scaled_NI, check_finite=False)
    kept = values > LEAST_VALUE * values[-1]
    roots_K, vectors = np.sqrt(values[kept]), vectors[:, kept]
    axes_IK = vectors / roots_K  # the scaled features times these are orthonormal
    means_N, ones_N = root_N * observed.means, root_N
    means_K, ones_K = (axes_IK.T @ (scaled_NI.T @ one) for one in (means_N, ones_N))
    left = (
        one - scaled_NI @ (axes_IK @ inside)
        for one, inside in ((means_N, means_K), (ones_N, ones_K))
    )
    outside = _outside(*left)
    turn_IK = solve_triangular(shared.lower_II, vectors * roots_K, lower=True, trans="T")
    return Rotated(
        prior_II,
        np.pad(turn_IK, ((0, 0), (0, 2))),
        np.append(roots_K**2, [0.0, 0.0]) + rest,
        np.append(means_K, outside[0]),
        np.append(ones_K, outside[1]),
        num_rest=len(means_N) - len(roots_K) - 2,
        rest=rest,
        log_scale=-0.5 * float(np.log(noise_N).sum()),
    )


def _outside(means_N: Array, ones_N: Array) -> tuple[Array, Array]:
    """Return means and ones on two axes that span what the features leave of them."""
    length = max(sqrt(float(ones_N @ ones_N)), TINY)  # nothing is left of few networks
    along = float(ones_N @ means_N) / length
    across = sqrt(max(float(means_N @ means_N) - along**2, 0.0))
    return np.array([along, across]), np.array([length, 0.0])


def _moments(
    form: Form, shared: Shared, observed: Observed, reference: int
) -> tuple[Array, Array, Array, Array]:
    """Return P x N means and variances of the accuracies and of the gains over the reference.

    Given what is shared, a network's own deviation is known from its own runs alone.
    """
    tau2_P1 = form.tau_P1**2
    turned_NK = shared.features_NI @ (shared.lower_II.T @ form.rotated.rotation_NN)
    scaled_PK = tau2_P1 / form.diagonal_PN
    free_PN = 1 - (scaled_PK * form.rotated.ones_N) @ turned_NK.T  # of the common mean
    shared_PN = form.common_P1 + tau2_P1 * (form.residual_PN @ turned_NK.T)
    known_N = (shared.features_NI**2).sum(axis=1)
    spread_PN = tau2_P1 * (known_N - scaled_PK @ (turned_NK**2).T)
    spread_PN += free_PN**2 * form.common_variance_P1
    own_PN = tau2_P1 * shared.own_N
    pull_PN = own_PN / (own_PN + form.sigma_P1**2 / observed.counts)  # towards the own runs
    rest_PN = 1 - pull_PN
    mean_PN = rest_PN * shared_PN + pull_PN * observed.means
    variance_PN = rest_PN**2 * spread_PN + own_PN * rest_PN
    one = slice(reference, reference + 1)
    together_N = shared.features_NI @ shared.features_NI[reference]
    common_PN = tau2_P1 * (together_N - (scaled_PK * turned_NK[reference]) @ turned_NK.T)
    common_PN += free_PN * free_PN[:, one] * form.common_variance_P1
    gain_variance_PN = variance_PN + variance_PN[:, one]
    gain_variance_PN -= 2 * rest_PN * rest_PN[:, one] * common_PN
    return mean_PN, variance_PN, mean_PN - mean_PN[:, one], gain_variance_PN
