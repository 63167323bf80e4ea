"""Estimates of accuracy with their uncertainty, from the evaluations of a study.

An architecture's true accuracy is drawn around a common mean with standard deviation τ, alike
architectures near each other; each training adds noise with standard deviation σ. Both, and how
far likeness reaches, are integrated over, so three replicates do not pretend to know the noise.
Estimates are drawn towards what is known of the rest as far as the noise makes them, which is what
takes the optimism out of the best of many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from space import Architecture

from .encoding import Encoded, encoded
from .induced import Induced, fitted_by, inducing_places
from .observed import Worths, observed, total_spread
from .process import Moments, Process, fitted
from .similarity import MIXTURES, correlations

Array = NDArray[np.float64]
LEAST_WORTH = 1e-6  # of a forecast, in runs: less says nothing
MOST_EXACT = 800  # networks; of more, what they share is learned by way of some: it is cheaper
CHUNK = 1000  # of networks: all at once, what is computed on the way would fill the memory
GRID = np.geomspace(0.02, 4.0, 40)  # σ and τ in units of the spread of all evaluations


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a training that was stopped would have reached, and its error; accuracies 0 to 1."""

    accuracy: float
    standard_error: float


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


@dataclass(frozen=True)
class Posterior:
    """What a study's runs say of the accuracy of any architecture of its space."""

    keys: tuple[str, ...]  # digests of the observed networks
    encoded: Encoded | None  # the same, as numbers; None where likeness is not used
    process: Process
    reference: int  # the plain network's place among them
    induced: Induced | None = None  # how many networks are seen; None where all is exact

    @property
    def basis(self) -> Encoded:
        """Return the networks that others are compared with."""
        assert self.encoded is not None, "names alone say nothing of other architectures"
        return self.encoded if self.induced is None else self.encoded[self.induced.places]

    def observed(self, reference: int | None = None) -> Moments:
        """Return what is known of the observed ones; gains are over one of them, or plain."""
        base = self.reference if reference is None else reference
        if self.induced is None:
            own = [form.rotated.correlations_NN if form else None for form in self.process.forms]
            found = self.process.moments(own, base)
        else:
            found = self.induced.moments(self.process, base)
        found.gain[base] = found.gain_variance[base] = 0.0  # over itself, without rounding
        return found

    def covariance(self, some: Encoded, others: Encoded) -> Array:
        """Return the covariances of two groups of networks, none of them observed."""
        prior = self._prior(some), self._prior(others), _apart(some, others)
        return self.process.covariance(*prior)

    def unobserved(self, others: Encoded, running: Encoded) -> tuple[Moments, Array]:
        """Return what is known of M networks, and M x R covariances with others, none observed."""
        prior = self._prior(others)
        known = self.process.moments(prior, self._base)
        if not len(running.kinds_NS):
            return known, np.zeros((len(others.kinds_NS), 0))
        apart = _apart(others, running)
        return known, self.process.covariance(prior, self._prior(running), apart)

    def _prior(self, others: Encoded) -> list[Array]:
        return _apart(others, self.basis)

    @property
    def _base(self) -> int:
        """Return the plain network's place among the basis."""
        if self.induced is None:
            return self.reference
        return int(np.searchsorted(self.induced.places, self.reference))

    def thinned(self, most: int) -> "Posterior":
        """Return a coarser one that is asked about thousands of architectures in no time."""
        return replace(self, process=self.process.thinned(most))

    def of(self, others: Encoded, digests: Sequence[str]) -> Moments:
        """Return what is known of other architectures, observed or not."""
        keys = np.array(self.keys)
        own = keys if self.induced is None else keys[self.induced.places]
        same = np.array(digests)[:, None] == own[None, :]
        return self.process.moments(
            correlations(others, self.basis, same.astype(float)), self._base
        )


def _apart(some: Encoded, others: Encoded) -> list[Array]:
    """Return the prior correlations, of each form, of networks that all differ."""
    return correlations(some, others, np.zeros((len(some.kinds_NS), len(others.kinds_NS))))


def pooled_noise(accuracies: Mapping[str, Sequence[float]]) -> Noise | None:
    """Return the noise that the replicates show, or None without any."""
    found = observed(accuracies, {})
    if found.degrees_of_freedom == 0:
        return None
    return Noise(sqrt(found.scatter / found.degrees_of_freedom), found.degrees_of_freedom)


def posterior_of(
    accuracies: Mapping[str, Sequence[float]],
    plain: str,
    *,
    architectures: Mapping[str, Architecture] | None = None,
    forecasts: Mapping[str, Sequence[Forecast]] | None = None,
    least_noise: float = 0.0,
) -> Posterior | None:
    """Return the posterior of runs by digest; None while replicates show no noise.

    With the architectures, alike ones learn from each other. Forecasts of stopped trainings count
    as runs of more noise. `least_noise` is a deviation that the noise surely has: what
    independently flipping images alone make, which few replicates can miss by luck.
    """
    spread = total_spread(accuracies)
    noise = pooled_noise(accuracies)
    if noise is None or spread == 0 or plain not in accuracies:
        return None
    worths = _worths(forecasts or {}, max(noise.sd, least_noise))
    found = observed(accuracies, worths)
    keys = tuple(dict.fromkeys([*accuracies, *worths]))
    numbers = encoded([architectures[key] for key in keys]) if architectures else None
    reference = keys.index(plain)
    lowest = max(GRID[0] * spread, least_noise)  # the prior is cut there, not piled up there
    noises = np.geomspace(lowest, max(GRID[-1] * spread, 2 * lowest), len(GRID))
    if numbers is not None and len(keys) > MOST_EXACT:
        places = inducing_places(found, reference)
        cross = _crossed(numbers, places)
        process, induced = fitted_by(places, found, cross, noises, spread * GRID)
        return Posterior(keys, numbers, process, reference, induced)
    same = np.eye(len(keys))
    forms = [same] if numbers is None else correlations(numbers, numbers, same)
    return Posterior(keys, numbers, fitted(found, forms, noises, spread * GRID), reference)


def _crossed(numbers: Encoded, places: NDArray[np.int64]) -> list[Array]:
    """Return, for each form, the correlations of all networks with those at some places."""
    num = len(numbers.kinds_NS)
    found = np.empty((len(MIXTURES), num, len(places)))
    for start in range(0, num, CHUNK):
        own = slice(start, min(start + CHUNK, num))
        same = np.arange(num)[own, None] == places[None, :]
        found[:, own] = correlations(numbers[own], numbers[places], same.astype(float))
    return list(found)


def estimates(
    accuracies: Mapping[str, Sequence[float]], posterior: Posterior | None
) -> dict[str, Estimate]:
    """Return the estimate of every architecture that has runs, by digest.

    Without a posterior the raw means stand with an unknown error (nan).
    """
    if posterior is None:
        return {key: _unknown(values) for key, values in accuracies.items()}
    known = posterior.observed()
    return {
        key: Estimate(
            accuracy=float(known.mean[i]),
            standard_error=sqrt(known.variance[i]),
            num_evaluations=len(accuracies[key]),
            raw_mean=float(np.mean(accuracies[key])),
            gain=float(known.gain[i]),
            gain_error=sqrt(known.gain_variance[i]),
            probability_better=float(known.better[i]),
        )
        for i, key in enumerate(posterior.keys)
        if key in accuracies
    }


def _worths(forecasts: Mapping[str, Sequence[Forecast]], noise: float) -> Worths:
    """Return the accuracy and the worth of each forecast, in runs, that says anything.

    Its worth is the noise's variance over its own, and one run's at most.
    """
    found: Worths = {}
    for key, some in forecasts.items():
        for one in some:
            worth = min(1.0, (noise / one.standard_error) ** 2)
            if worth > LEAST_WORTH:
                found.setdefault(key, []).append((one.accuracy, worth))
    return found


def _unknown(values: Sequence[float]) -> Estimate:
    mean = float(np.mean(values))
    return Estimate(mean, nan, len(values), mean, nan, nan, nan)
