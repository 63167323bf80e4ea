from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from search.samplers.catalogue import Catalogue
from space import SearchSpace, digest, plain
from studies.estimates import posterior
from studies.estimates.induced import Induced, fitted_by, inducing_places
from studies.estimates.posterior import Estimate, estimates, posterior_of
from studies.estimates.process import Process, fitted
from studies.estimates.rotation import Observed

Array = NDArray[np.float64]
SIGMA, TAU = 0.5, 1.3
VAGUE = 1e5  # variance of the common mean in the direct formula; flat in ours
COUNTS = np.array([1.0, 2.0, 3.0, 1.0, 1.0, 0.4, 1.0, 5.0])
PLACES = np.array([0, 2, 5])


@pytest.fixture
def correlations() -> Array:
    """Return those of ten points, eight observed and two not, by a Gaussian of their distance."""
    points = np.random.default_rng(0).normal(size=(10, 3))
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    found: Array = np.exp(-apart / 2)
    return found


@pytest.fixture
def observed() -> Observed:
    means = np.random.default_rng(1).normal(size=8)
    return Observed(COUNTS, means, scatter=0.3, degrees_of_freedom=3)


@pytest.fixture
def induced(correlations: Array, observed: Observed) -> tuple[Process, Induced]:
    cross = [correlations[:8, PLACES]]
    return fitted_by(PLACES, observed, cross, np.array([SIGMA]), np.array([TAU]))


def directly(correlations: Array, means: Array) -> tuple[Array, Array]:
    """Return mean and covariance of all ten by FITC: Quiñonero-Candela and Rasmussen, eq. 23."""
    to_inducing = correlations[:, PLACES]
    shared = to_inducing @ np.linalg.solve(correlations[np.ix_(PLACES, PLACES)], to_inducing.T)
    prior = TAU**2 * (shared + np.diag(1 - np.diag(shared))) + VAGUE
    seen = prior[:8, :8] + np.diag(SIGMA**2 / COUNTS)
    weights = np.linalg.solve(seen, prior[:8]).T
    return weights @ means, prior - weights @ prior[:8]


def test_the_observed_are_known_as_the_textbook_has_it(
    correlations: Array, observed: Observed, induced: tuple[Process, Induced]
) -> None:
    process, seen = induced
    found = seen.moments(process, reference=1)
    mean, covariance = directly(correlations, observed.means)
    own = np.diag(covariance)
    others = np.arange(8) != 1
    assert found.mean == pytest.approx(mean[:8], abs=1e-4)
    assert found.variance == pytest.approx(own[:8], abs=1e-3)
    assert found.gain == pytest.approx((mean - mean[1])[:8], abs=1e-4)
    expected = own + own[1] - 2 * covariance[1]
    assert found.gain_variance[others] == pytest.approx(expected[:8][others], abs=1e-3)


def test_networks_without_runs_are_known_as_the_textbook_has_it(
    correlations: Array, observed: Observed, induced: tuple[Process, Induced]
) -> None:
    process, _ = induced
    found = process.moments([correlations[8:, PLACES]], reference=0)
    mean, covariance = directly(correlations, observed.means)
    own = np.diag(covariance)
    assert found.mean == pytest.approx(mean[8:], abs=1e-4)
    assert found.variance == pytest.approx(own[8:], abs=1e-3)
    assert found.gain == pytest.approx((mean - mean[0])[8:], abs=1e-4)
    expected = own + own[0] - 2 * covariance[0]
    assert found.gain_variance == pytest.approx(expected[8:], abs=1e-3)


def test_where_all_networks_are_inducing_nothing_is_approximate(
    correlations: Array, observed: Observed
) -> None:
    forms, grids = [correlations[:8, :8], np.eye(8)], [np.geomspace(0.1, 3, 12)] * 2
    exact = fitted(observed, forms, *grids)
    process, seen = fitted_by(np.arange(8), observed, forms, *grids)
    assert process.form_weights == pytest.approx(exact.form_weights)
    found, expected = seen.moments(process, 0), exact.moments(forms, 0)
    assert found.mean == pytest.approx(expected.mean)
    assert found.variance == pytest.approx(expected.variance)
    assert found.gain_variance[1:] == pytest.approx(expected.gain_variance[1:])
    assert found.better[1:] == pytest.approx(expected.better[1:])


def test_the_inducing_are_the_reference_the_best_known_and_some_of_all_others() -> None:
    means = np.arange(20) / 20
    observed = Observed(np.where(np.arange(20) < 3, 2.0, 1.0), means, 0.0, 0)
    found = inducing_places(observed, reference=7, number=8)
    assert list(found) == [0, 1, 2, 3, 7, 8, 13, 18, 19]
    assert list(inducing_places(observed, 7, 60)) == list(range(20))


def test_many_networks_are_estimated_nearly_as_few_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within half an error of the exact estimates, where half of 120 networks are inducing."""
    base, rng = plain("resnet8"), np.random.default_rng(0)
    catalogue = Catalogue(SearchSpace(backbone="resnet8"))
    drawn = [catalogue.architecture(row) for row in catalogue.random(119, rng)]
    networks = {digest(one): one for one in (base, *drawn)}
    worth = rng.normal(size=20)
    runs = {
        key: list(
            0.9
            + 0.003 * sum(worth[len(p[0].attention.kind)] for p in one.stages if p)
            + 0.002 * rng.normal(size=1 + 2 * one.is_plain)
        )
        for key, one in networks.items()
    }

    def estimated() -> dict[str, Estimate]:
        found = posterior_of(runs, digest(base), architectures=networks)
        assert found is not None
        assert (found.induced is None) == (len(networks) <= posterior.MOST_EXACT)
        return estimates(runs, found)

    exact = estimated()
    monkeypatch.setattr(posterior, "MOST_EXACT", 100)
    monkeypatch.setattr(posterior, "inducing_places", partial(inducing_places, number=60))
    for key, one in estimated().items():
        assert one.accuracy == pytest.approx(
            exact[key].accuracy, abs=exact[key].standard_error / 2
        )
        assert one.standard_error == pytest.approx(exact[key].standard_error, rel=0.2)
    assert estimated()[digest(base)].gain == 0
