import numpy as np
import pytest
from numpy.typing import NDArray

from studies.estimates.process import fitted
from studies.estimates.rotation import Observed

Array = NDArray[np.float64]
SIGMA, TAU = 0.5, 1.3
VAGUE = 1e5  # variance of the common mean in the direct formula; flat in ours
COUNTS = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 0.4])


@pytest.fixture
def correlations() -> Array:
    """Return those of ten points, six observed and four not, by a Gaussian of their distance."""
    points = np.random.default_rng(0).normal(size=(10, 3))
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    found: Array = np.exp(-apart / 2)
    return found


@pytest.fixture
def means() -> Array:
    return np.random.default_rng(1).normal(size=6)


def directly(correlations: Array, means: Array) -> tuple[Array, Array]:
    """Return mean and covariance of all ten by Rasmussen and Williams, eq. 2.23 and 2.24."""
    prior = TAU**2 * correlations + VAGUE
    seen = prior[:6, :6] + np.diag(SIGMA**2 / COUNTS)
    weights = np.linalg.solve(seen, prior[:6]).T
    return weights @ means, prior - weights @ prior[:6]


def test_one_point_of_the_grid_is_the_textbooks_posterior(
    correlations: Array, means: Array
) -> None:
    observed = Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)
    process = fitted(observed, [correlations[:6, :6]], np.array([SIGMA]), np.array([TAU]))
    found = process.moments([correlations[:, :6]], reference=2)
    mean, covariance = directly(correlations, means)
    own = np.diag(covariance)
    assert found.mean == pytest.approx(mean, abs=1e-4)
    assert found.variance == pytest.approx(own, abs=1e-3)
    assert found.gain == pytest.approx(mean - mean[2], abs=1e-4)
    assert found.gain_variance == pytest.approx(own + own[2] - 2 * covariance[2], abs=1e-3)


def test_the_covariance_of_others_is_the_textbooks(correlations: Array, means: Array) -> None:
    observed = Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)
    process = fitted(observed, [correlations[:6, :6]], np.array([SIGMA]), np.array([TAU]))
    some, others = correlations[6:8], correlations[8:]
    found = process.covariance([some[:, :6]], [others[:, :6]], [some[:, 8:]])
    assert found == pytest.approx(directly(correlations, means)[1][6:8, 8:], abs=1e-3)


def test_the_grid_is_weighted_by_the_density_of_what_was_seen(means: Array) -> None:
    """Of two spreads, the odds are those of the means' density under each, times the spreads'."""
    same, spreads = np.eye(6), np.array([0.4, 1.6])
    process = fitted(Observed(COUNTS, means, 0.0, 0), [same], np.array([SIGMA]), spreads)
    form = process.forms[0]
    assert form is not None

    def density(tau: float) -> float:
        covariance = tau**2 * same + np.diag(SIGMA**2 / COUNTS) + VAGUE
        _, log_determinant = np.linalg.slogdet(covariance)
        quadratic = means @ np.linalg.solve(covariance, means)
        return float(np.log(tau) - 0.5 * (log_determinant + quadratic))

    odds = np.exp(density(1.6) - density(0.4))
    assert form.weights_P[1] / form.weights_P[0] == pytest.approx(odds, rel=1e-3)


def test_the_scatter_of_replicates_tells_the_noise(means: Array) -> None:
    noises, spreads = np.geomspace(0.01, 10, 60), np.geomspace(0.01, 10, 30)
    for sd in (0.05, 0.5):
        observed = Observed(COUNTS, means, scatter=400 * sd**2, degrees_of_freedom=400)
        process = fitted(observed, [np.eye(6)], noises, spreads)
        assert process.noise == pytest.approx(sd, rel=0.1)


def test_the_form_that_explains_what_was_seen_gets_the_weight() -> None:
    """Two groups that move together: likeness within them beats each one for itself."""
    alike: Array = np.kron(np.eye(2), np.full((6, 6), 0.95) + 0.05 * np.eye(6)).astype(float)
    shift = np.repeat([-1.0, 1.0], 6) + 0.05 * np.random.default_rng(2).normal(size=12)
    observed = Observed(np.ones(12), shift, scatter=0.04, degrees_of_freedom=10)
    grids = np.geomspace(0.02, 4, 30), np.geomspace(0.02, 4, 30)
    alone, together = fitted(observed, [np.eye(12), alike], *grids).form_weights
    assert together > 0.99
    assert alone + together == pytest.approx(1)


def test_a_thinned_process_says_nearly_the_same(correlations: Array, means: Array) -> None:
    grids = np.geomspace(0.05, 4, 30), np.geomspace(0.05, 4, 30)
    whole = fitted(Observed(COUNTS, means, 0.3, 3), [correlations[:6, :6], np.eye(6)], *grids)
    few = whole.thinned(300)
    assert sum(len(one.weights_P) for one in few.forms if one) <= 300
    assert sum(few.form_weights) == pytest.approx(1)
    cross = [correlations[:, :6], np.eye(10)[:, :6]]
    found, expected = few.moments(cross, 0), whole.moments(cross, 0)
    assert found.mean == pytest.approx(expected.mean, abs=0.2 * float(np.std(means)))
