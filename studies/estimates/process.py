"""The algebra of the posterior: Gaussian processes of several forms, integrated over.

Each prior form is a matrix of correlations K. For each, the accuracies' mean is flat, the spread
τ and the noise σ run over a grid, and V = σ² diag(1/counts) + τ² K. One eigendecomposition serves
the whole grid, so hundreds of points cost little more than one.

Shapes: N architectures with runs, M asked for, P kept points of the grid.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, sec. 2.2 and 2.7; Gelman
et al., Bayesian Data Analysis, 3rd edition, sec. 5.4, for K = 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .rotation import Observed, Rotated, common_mean, grid, log_densities, rotated

Array = NDArray[np.float64]
NEGLIGIBLE = 1e-6  # of the greatest weight
TINY = 1e-30


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of M accuracies and of their gains over one of the N, and P(gain > 0)."""

    mean: Array
    variance: Array
    gain: Array
    gain_variance: Array
    better: Array


@dataclass(frozen=True, slots=True)
class Form:
    """One prior form with the points of its grid, and V in the rotation that makes it diagonal."""

    rotated: Rotated
    sigma_P1: Array
    tau_P1: Array
    weights_P: Array
    diagonal_PN: Array  # of V in the rotation
    residual_PN: Array  # of the means less the common mean, over the diagonal
    common_P1: Array
    common_variance_P1: Array

    def above(self, least: float, total: float) -> "Form | None":
        """Return it with the points of at least this weight, as shares of a total; or None."""
        kept = self.weights_P >= least
        if not kept.any():
            return None
        sigma, tau, weights = self.sigma_P1[kept], self.tau_P1[kept], self.weights_P[kept]
        return _form(self.rotated, sigma, tau, weights / total)


@dataclass(frozen=True, slots=True)
class Process:
    """The posterior: prior forms with the weights that the observations leave them."""

    forms: tuple[Form | None, ...]  # None: of negligible weight

    @property
    def noise(self) -> float:
        """Return the posterior mean of the noise of one run, a standard deviation."""
        kept = [form for form in self.forms if form is not None]
        return float(sum(form.weights_P @ form.sigma_P1[:, 0] for form in kept))

    @property
    def form_weights(self) -> tuple[float, ...]:
        """Return what share of the posterior each prior form has."""
        return tuple(0.0 if one is None else float(one.weights_P.sum()) for one in self.forms)

    def thinned(self, most: int) -> "Process":
        """Return it with its weightiest points only: a coarser posterior for thousands."""
        weights = np.concatenate([one.weights_P for one in self.forms if one is not None])
        if len(weights) <= most:
            return self
        least = np.sort(weights)[-most]
        total = weights[weights >= least].sum()
        return Process(tuple(one and one.above(least, total) for one in self.forms))

    def covariance(
        self, cross: Sequence[Array], others: Sequence[Array], prior: Sequence[Array]
    ) -> Array:
        """Return M x R posterior covariances of the accuracies of two groups of architectures.

        Takes, for each form, M x N and R x N prior correlations with the observed ones, and the
        M x R between the groups. What the grid's points disagree on is left out.
        """
        parts = zip(self.forms, cross, others, prior, strict=True)
        shares = [_covariance(form, *matrices) for form, *matrices in parts if form is not None]
        found: Array = np.sum(shares, axis=0)
        return found

    def moments(self, cross: Sequence[Array | None], reference: int) -> Moments:
        """Return what is known of M architectures, and of their gains over an observed one.

        Takes, for each form, M x N prior correlations with the observed ones.
        """
        pairs = zip(self.forms, cross, strict=True)
        kept = [(one, cross_MN) for one, cross_MN in pairs if one and cross_MN is not None]
        found = [_moments(one, cross_MN, reference) for one, cross_MN in kept]
        weights_P = np.concatenate([one.weights_P for one, _ in kept])
        mean, variance, gain, gain_variance = (
            np.concatenate(parts) for parts in zip(*found, strict=True)
        )
        better = ndtr(gain / np.sqrt(np.maximum(gain_variance, TINY)))
        return Moments(
            *mixture(weights_P, mean, variance),
            *mixture(weights_P, gain, gain_variance),
            weights_P @ better,
        )


def fitted(
    observed: Observed, correlations: Sequence[Array], noises: Array, spreads: Array
) -> Process:
    """Return the posterior over the forms and the grid; priors flat in log σ and in τ."""
    return integrated(observed, [rotated(observed, one) for one in correlations], noises, spreads)


def integrated(
    observed: Observed, rotations: Sequence[Rotated], noises: Array, spreads: Array
) -> Process:
    """Return the posterior of prior forms that are rotated already."""
    sigma, tau = grid(noises, spreads)
    log_density = np.stack([log_densities(observed, one, sigma, tau) for one in rotations])
    weights = np.exp(log_density - log_density.max())
    kept = weights > NEGLIGIBLE
    weights /= weights[kept].sum()
    return Process(
        tuple(
            _form(one, sigma[k], tau[k], w[k]) if k.any() else None
            for one, w, k in zip(rotations, weights, kept, strict=True)
        )
    )


def _form(found: Rotated, sigma: Array, tau: Array, weights: Array) -> Form:
    diagonal = sigma**2 + tau**2 * found.eigenvalues_N
    common, variance = common_mean(found, diagonal)
    residual = (found.means_N - found.ones_N * common) / diagonal
    return Form(found, sigma, tau, weights, diagonal, residual, common, variance)


def _moments(form: Form, cross_MN: Array, reference: int) -> tuple[Array, Array, Array, Array]:
    """Return P x M means and variances of the accuracies and of the gains over the reference.

    Every architecture has a prior variance of τ²; the common mean's own uncertainty is added.
    """
    rotation = form.rotated.rotation_NN
    turned_MN = cross_MN @ rotation
    turned_N = form.rotated.correlations_NN[reference] @ rotation
    scaled_PN = form.tau_P1**2 / form.diagonal_PN
    mean = form.common_P1 + form.tau_P1**2 * (form.residual_PN @ turned_MN.T)
    free = 1 - (scaled_PN * form.rotated.ones_N) @ turned_MN.T  # of the common mean
    variance = form.tau_P1**2 * (1 - scaled_PN @ (turned_MN**2).T)
    shared = cross_MN[:, reference] - (scaled_PN * turned_N) @ turned_MN.T
    free_reference = 1 - (scaled_PN * form.rotated.ones_N) @ turned_N[:, None]
    own = form.tau_P1**2 * (1 - scaled_PN @ (turned_N**2)[:, None])
    gain_variance = variance + own - 2 * form.tau_P1**2 * shared
    gain_variance += (free - free_reference) ** 2 * form.common_variance_P1
    base = form.common_P1 + form.tau_P1**2 * (form.residual_PN @ turned_N[:, None])
    return mean, variance + free**2 * form.common_variance_P1, mean - base, gain_variance


def _covariance(form: Form, cross_MN: Array, others_RN: Array, prior_MR: Array) -> Array:
    """Return the form's share of the M x R covariances, summed over its points."""
    turned_MN, turned_RN = (one @ form.rotated.rotation_NN for one in (cross_MN, others_RN))
    tau2_P = form.tau_P1[:, 0] ** 2
    scaled_PN = form.tau_P1**2 / form.diagonal_PN
    inner_N = (form.weights_P * tau2_P) @ scaled_PN
    found: Array = (form.weights_P @ tau2_P) * prior_MR - (turned_MN * inner_N) @ turned_RN.T
    free_PM, free_PR = (
        1 - (scaled_PN * form.rotated.ones_N) @ one.T for one in (turned_MN, turned_RN)
    )
    shared_P1 = form.weights_P[:, None] * form.common_variance_P1
    return found + (shared_P1 * free_PM).T @ free_PR


def mixture(weights: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """Return mean and variance of a weighted mixture."""
    overall = weights @ mean
    return overall, weights @ (np.maximum(variance, 0.0) + (mean - overall) ** 2)
