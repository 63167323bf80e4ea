"""Deviations between and within, against sums by hand, published tables and simulation."""

from math import inf, sqrt

import numpy as np
import pytest

from studies.estimates.variance import Components, Deviation, components, components_of

# Six rails, three travel times each: Pinheiro and Bates, Mixed-Effects Models in S and S-PLUS,
# 2000, sec. 1.1. Their nlme finds 24.80547 between rails and 4.020779 within.
RAILS = {
    "1": [55, 53, 54],
    "2": [26, 37, 32],
    "3": [78, 91, 85],
    "4": [92, 100, 96],
    "5": [49, 51, 50],
    "6": [80, 85, 83],
}


def made(between: float, seed: float) -> Components:
    """Return components with these deviations."""
    return Components(Deviation(between, 0, 1), Deviation(seed, 0, 1), 5, 10)


def test_rails_have_the_published_deviations() -> None:
    found = components(RAILS)
    assert found is not None
    assert found.between.sd == pytest.approx(24.80547, abs=1e-4)
    assert found.seed.sd == pytest.approx(4.020779, abs=1e-5)
    assert (found.num_architectures, found.num_trainings) == (6, 18)


def test_unbalanced_sums_by_hand() -> None:
    """Means 2, 6; N = 3, overall 10 / 3; SSA = 2·(4/3)² + (8/3)² = 32/3; n0 = 3 − 5/3 = 4/3."""
    found = components({"a": [1.0, 3.0], "b": [6.0]})
    assert found is not None
    assert found.seed.sd == pytest.approx(sqrt(2))
    assert found.between.sd == pytest.approx(sqrt((32 / 3 - 2) / (4 / 3)))


def test_the_interval_of_the_noise_is_chi_squares() -> None:
    """A χ² table, 10 degrees of freedom: 3.247 and 20.483."""
    found = components_of([11, 1], [0.0, 1.0], 1.0)
    assert found is not None
    assert found.seed.low == pytest.approx(sqrt(10 / 20.483), abs=1e-4)
    assert found.seed.high == pytest.approx(sqrt(10 / 3.247), abs=1e-4)


def test_the_interval_between_is_williams() -> None:
    """F and χ² tables, 4 and 5 degrees: F 7.388 and 1 / 9.364, χ² 11.143 and 0.4844.

    Means −2 to 2 have a variance of 2.5, times 2 trainings each is 5.
    """
    found = components_of([2] * 5, [-2.0, -1.0, 0.0, 1.0, 2.0], 0.5)
    assert found is not None
    assert found.between.low == pytest.approx(sqrt((5 - 7.388 * 0.5) * 4 / 11.143 / 2), rel=1e-3)
    assert found.between.high == pytest.approx(sqrt((5 - 0.5 / 9.364) * 4 / 0.4844 / 2), rel=1e-3)


@pytest.mark.parametrize(("between", "counts"), [(0.3, (2,) * 5), (1.0, (3, 3, 2, 2, 1))])
def test_intervals_hold_the_truth_19_times_of_20(between: float, counts: tuple[int, ...]) -> None:
    generator, num_draws = np.random.default_rng(1), 400
    held = np.zeros(2)
    for _ in range(num_draws):
        truth = generator.normal(0.0, between, len(counts))
        drawn = {
            str(t): t + generator.normal(0.0, 1.0, n) for t, n in zip(truth, counts, strict=True)
        }
        found = components(drawn)
        assert found is not None
        held += (
            found.between.low <= between <= found.between.high,
            found.seed.low <= 1.0 <= found.seed.high,
        )
    assert 0.92 <= held[0] / num_draws <= 0.99  # Williams' is never too narrow, if not exact
    assert 0.93 <= held[1] / num_draws <= 0.97


def test_means_that_the_noise_explains_have_no_deviation() -> None:
    found = components({"a": [0.0, 2.0], "b": [2.0, 0.0]})
    assert found is not None
    assert (found.between.sd, found.between.low, found.signal) == (0, 0, 0)
    assert found.trainings_each == inf
    assert found.num_told_apart(200) == 0


def test_without_two_networks_or_replicates_nothing_is_known() -> None:
    assert components({"a": [0.0, 2.0]}) is None
    assert components({"a": [0.0], "b": [1.0]}) is None
    assert components({}) is None


@pytest.mark.parametrize(
    ("between", "seed", "each", "number"),
    [(1.96, 1.0, 1, 200), (1.0, 1.0, 4, 50), (0.5, 1.0, 16, 12), (1.0, 0.0, 1, 200)],
)  # (1.96 · seed / between)² = 1; 3.84; 15.4; 0
def test_the_trainings_that_tell_two_networks_apart(
    between: float, seed: float, each: int, number: int
) -> None:
    found = made(between + 1e-4, seed)
    assert found.trainings_each == each
    assert found.num_told_apart(200) == number


def test_so_many_trainings_do_tell_two_networks_apart() -> None:
    """By simulation: the differences' own variance is then at least 1.96² times the noise's."""
    found, generator = made(0.5, 1.0), np.random.default_rng(0)
    number = int(found.trainings_each)
    truth = generator.normal(0.0, 0.5, (4000, 2))
    noise = generator.normal(0.0, 1.0, (4000, 2, number)).mean(axis=2)
    assert np.diff(truth).std() >= 1.9 * np.diff(noise).std()
    fewer = generator.normal(0.0, 1.0, (4000, 2, number // 2)).mean(axis=2)
    assert np.diff(truth).std() < 1.9 * np.diff(fewer).std()
