"""Weighted sums of accuracies whose weights sum to 0, by the joint posterior, without sampling.

At each point of the grid a contrast is normal: the mean and the covariance of the whole mixture
are exact, and the ends of the intervals are the mixture's quantiles.

Shapes: R contrasts, N architectures with runs, P points of the grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ..estimates.process import TINY, Form, Process

Array = NDArray[np.float64]
TAIL = 0.025  # on either side of an interval
REACH = 8.0  # deviations: beyond them lie 10⁻¹⁵ of a normal
HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Contrasts:
    """What is known of R contrasts together; `low` and `high` are the ends of 95 % intervals."""

    mean: Array
    covariance: Array
    low: Array
    high: Array
    above: Array  # probability that each is above 0


def contrasts(process: Process, cross: Sequence[Array], prior: Sequence[Array]) -> Contrasts:
    """Return what the posterior says of R contrasts.

    Takes, for each form, their R x N prior correlations with the observed architectures and the
    R x R among themselves, as sums with the contrasts' weights.
    """
    parts = [
        _Part(form, cross_RN @ form.rotated.rotation_NN, prior_RR)
        for form, cross_RN, prior_RR in zip(process.forms, cross, prior, strict=True)
        if form is not None
    ]
    weights_P = np.concatenate([one.form.weights_P for one in parts])
    mean_PR = np.concatenate([one.means() for one in parts])
    sd_PR = np.sqrt(np.maximum(np.concatenate([one.variances() for one in parts]), TINY))
    mean_R = weights_P @ mean_PR
    apart_PR = np.sqrt(weights_P)[:, None] * (mean_PR - mean_R)
    covariance_RR = np.sum([one.covariance() for one in parts], axis=0) + apart_PR.T @ apart_PR
    low, high = (_quantile(share, weights_P, mean_PR, sd_PR) for share in (TAIL, 1 - TAIL))
    return Contrasts(mean_R, covariance_RR, low, high, weights_P @ ndtr(mean_PR / sd_PR))


@dataclass(frozen=True, slots=True)
class _Part:
    """The contrasts under one prior form, in the rotation that makes V diagonal."""

    form: Form
    turned_RN: Array
    prior_RR: Array

    def means(self) -> Array:
        found: Array = self.form.tau_P1**2 * (self.form.residual_PN @ self.turned_RN.T)
        return found

    def variances(self) -> Array:
        own = np.diag(self.prior_RR) - self._scaled() @ (self.turned_RN**2).T
        found: Array = self.form.tau_P1**2 * own
        return found + self._common() ** 2 * self.form.common_variance_P1

    def covariance(self) -> Array:
        """Return the share of the covariances, summed over the form's points."""
        weights_P, tau2_P = self.form.weights_P, self.form.tau_P1[:, 0] ** 2
        inner_N = (weights_P * tau2_P) @ self._scaled()
        found: Array = (weights_P @ tau2_P) * self.prior_RR
        found = found - (self.turned_RN * inner_N) @ self.turned_RN.T
        common_PR = self._common()
        shared_PR = weights_P[:, None] * self.form.common_variance_P1 * common_PR
        return found + shared_PR.T @ common_PR

    def _scaled(self) -> Array:
        found: Array = self.form.tau_P1**2 / self.form.diagonal_PN
        return found

    def _common(self) -> Array:
        """Return how far the common mean, estimated too, moves each contrast."""
        found: Array = -(self._scaled() * self.form.rotated.ones_N) @ self.turned_RN.T
        return found


def _quantile(share: float, weights_P: Array, mean_PR: Array, sd_PR: Array) -> Array:
    """Return, by bisection, the values below which each mixture has this share."""
    low_R = (mean_PR - REACH * sd_PR).min(axis=0)
    high_R = (mean_PR + REACH * sd_PR).max(axis=0)
    for _ in range(HALVINGS):
        middle_R = (low_R + high_R) / 2
        is_past_R = weights_P @ ndtr((middle_R - mean_PR) / sd_PR) > share
        low_R = np.where(is_past_R, low_R, middle_R)
        high_R = np.where(is_past_R, middle_R, high_R)
    found: Array = (low_R + high_R) / 2
    return found
