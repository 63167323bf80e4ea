import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from studies.effects.contrasts import contrasts
from studies.estimates.process import Process, fitted
from studies.estimates.rotation import Observed

Array = NDArray[np.float64]
COUNTS = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 0.4])
CHANGE = np.array([[1.0, -1, 0, 0], [0.5, 0.5, -1, 0], [0.25, 0.25, 0.25, -0.75]])
SIGMA, TAU, VAGUE = 0.5, 1.3, 1e5


@pytest.fixture
def correlations() -> Array:
    """Return those of ten points, six observed and four not, by a Gaussian of their distance."""
    points = np.random.default_rng(0).normal(size=(10, 3))
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    found: Array = np.exp(-apart / 2)
    return found


def process_of(correlations: Array, noises: Array, spreads: Array) -> Process:
    means = np.random.default_rng(1).normal(size=6)
    seen = Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)
    return fitted(seen, [correlations[:6, :6], np.eye(6)], noises, spreads)


def asked(correlations: Array, change: Array) -> tuple[list[Array], list[Array]]:
    """Return cross and prior, in both forms, of changes of the four that are not observed."""
    forms = [correlations, np.eye(10)]
    cross = [change @ one[6:, :6] for one in forms]
    return cross, [change @ one[6:, 6:] @ change.T for one in forms]


def test_one_point_of_the_grid_is_the_textbooks_posterior(correlations: Array) -> None:
    """Rasmussen and Williams, eq. 2.23 and 2.24, with a vague common mean."""
    means = np.random.default_rng(1).normal(size=6)
    seen = Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)
    process = fitted(seen, [correlations[:6, :6]], np.array([SIGMA]), np.array([TAU]))
    found = contrasts(process, *(one[:1] for one in asked(correlations, CHANGE)))
    prior = TAU**2 * correlations + VAGUE
    weights = np.linalg.solve(prior[:6, :6] + np.diag(SIGMA**2 / COUNTS), prior[:6]).T
    posterior = (prior - weights @ prior[:6])[6:, 6:]
    assert found.mean == pytest.approx(CHANGE @ (weights @ means)[6:], abs=1e-4)
    expected = CHANGE @ posterior @ CHANGE.T
    assert found.covariance == pytest.approx(expected, abs=1e-3)
    sd = np.sqrt(np.diag(expected))
    assert found.low == pytest.approx(found.mean - 1.959964 * sd, abs=1e-3)
    assert found.high == pytest.approx(found.mean + 1.959964 * sd, abs=1e-3)
    assert found.above == pytest.approx(ndtr(found.mean / sd), abs=1e-3)


def test_the_difference_from_an_observed_one_is_its_gain(correlations: Array) -> None:
    """Over the whole grid and both forms: the contrast of one and the reference is the gain."""
    grid = np.geomspace(0.05, 4, 20)
    process = process_of(correlations, grid, grid)
    forms = [correlations, np.eye(10)]
    gains = process.moments([one[6:, :6] for one in forms], reference=2)
    change = np.hstack([np.eye(4), -np.ones((4, 1))])  # of the four, and the reference last
    rows = [6, 7, 8, 9, 2]
    cross = [change @ one[rows, :6] for one in forms]
    prior = [change @ one[np.ix_(rows, rows)] @ change.T for one in forms]
    found = contrasts(process, cross, prior)
    assert found.mean == pytest.approx(gains.gain)
    assert np.diag(found.covariance) == pytest.approx(gains.gain_variance)
    assert found.above == pytest.approx(gains.better)


def test_the_covariance_of_a_mixture_is_one_of_sums(correlations: Array) -> None:
    """The variance of a sum of two contrasts is that of the contrast of the summed weights."""
    grid = np.geomspace(0.05, 4, 20)
    process = process_of(correlations, grid, grid)
    both = contrasts(process, *asked(correlations, CHANGE[:2]))
    added = contrasts(process, *asked(correlations, CHANGE[:1] + CHANGE[1:2]))
    assert both.covariance.sum() == pytest.approx(added.covariance[0, 0])
    assert both.mean.sum() == pytest.approx(added.mean[0])


def test_intervals_are_quantiles_of_the_mixture(correlations: Array) -> None:
    """Two noises: below the ends of the interval lie 2.5 and 97.5 % of both normals, weighted."""
    means = np.random.default_rng(1).normal(size=6)
    seen = Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)
    noises, spread = (0.25, 0.8), np.array([TAU])
    question = [one[:1] for one in asked(correlations, CHANGE)]
    own = [correlations[:6, :6]]
    both = fitted(seen, own, np.array(noises), spread)
    found = contrasts(both, *question)
    single = [contrasts(fitted(seen, own, np.array([one]), spread), *question) for one in noises]
    form = both.forms[0]
    assert form is not None
    assert form.weights_P.min() > 0.01
    for end, share in ((found.low, 0.025), (found.high, 0.975)):
        below = [ndtr((end - one.mean) / np.sqrt(np.diag(one.covariance))) for one in single]
        assert form.weights_P @ np.array(below) == pytest.approx(np.full(3, share), abs=1e-6)
