from dataclasses import dataclass
from math import isnan, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from studies.estimates.posterior import (
    GRID,
    Estimate,
    Forecast,
    Noise,
    estimates,
    pooled_noise,
    posterior_of,
)

Array = NDArray[np.float64]
LEVEL, NOISE, SPREAD = 0.9, 0.003, 0.004
FEW = {"plain": [0.900, 0.904, 0.899], "a": [0.911], "b": [0.905, 0.908], "c": [0.893]}


def estimated(
    runs: dict[str, list[float]], plain: str, least_noise: float = 0.0
) -> dict[str, Estimate]:
    """Return the estimates of networks of which only the names are known."""
    return estimates(runs, posterior_of(runs, plain, least_noise=least_noise))


def simulated(seed: int, spread: float) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the runs of plain (3), 4 architectures run twice and 30 run once, and the truth."""
    generator = np.random.default_rng(seed)
    truth = {f"a{i}": LEVEL + spread * generator.normal() for i in range(34)} | {"plain": LEVEL}
    runs = {
        key: list(value + NOISE * generator.normal(size=3 if key == "plain" else 1 + (i < 4)))
        for i, (key, value) in enumerate(truth.items())
    }
    return runs, truth


@dataclass(frozen=True)
class NullStudies:
    """What 60 studies without any true difference claim of their best architecture."""

    share_certain: float
    optimism: float
    raw_optimism: float


@pytest.fixture(scope="module")
def null_studies() -> NullStudies:
    certain, optimism, raw = [], [], []
    for seed in range(60):
        runs, _ = simulated(seed, spread=0.0)
        known = estimated(runs, "plain")
        best = max(known.values(), key=lambda one: one.accuracy)
        certain.append(max(one.probability_better for one in known.values()) > 0.975)
        optimism.append(best.accuracy - LEVEL)
        raw.append(max(one.raw_mean for one in known.values()) - LEVEL)
    return NullStudies(*(float(np.mean(one)) for one in (certain, optimism, raw)))


def test_the_noise_is_the_scatter_within_over_its_degrees_of_freedom() -> None:
    noise = pooled_noise({"a": [0.90, 0.92], "b": [0.80, 0.81, 0.85], "c": [0.5]})
    assert noise is not None
    assert noise.degrees_of_freedom == 1 + 2
    assert noise.sd == pytest.approx(sqrt((2 * 0.01**2 + 0.02**2 + 0.01**2 + 0.03**2) / 3))


def test_without_replicates_there_is_no_noise() -> None:
    assert pooled_noise({"a": [0.9], "b": [0.8]}) is None
    assert pooled_noise({}) is None


def test_the_resolution_is_the_t_interval_of_a_difference_of_two_runs() -> None:
    assert Noise(0.01, 10**7).resolution == pytest.approx(1.959964 * sqrt(2) * 0.01, rel=1e-5)
    assert Noise(0.01, 2).resolution == pytest.approx(4.3027 * sqrt(2) * 0.01, rel=1e-4)  # t table


def test_estimates_shrink_towards_the_common_mean_and_keep_their_order() -> None:
    centres = [0.89, 0.90, 0.903, 0.912]
    known = estimated({str(c): [c - 0.003, c + 0.003] for c in centres}, "0.9")
    common = float(np.mean(centres))  # equal counts: every network weighs the same
    for one in known.values():
        assert 0 < (one.accuracy - common) / (one.raw_mean - common) < 1
    found = [one.accuracy for one in known.values()]
    assert found == sorted(found)


def test_more_runs_shrink_less() -> None:
    runs = {"plain": [0.90, 0.904], "once": [0.92], "often": [0.92] * 5, "low": [0.885, 0.889]}
    known = estimated(runs, "plain")
    assert known["once"].accuracy < known["often"].accuracy < 0.92
    assert known["once"].standard_error > known["often"].standard_error


def test_studies_without_a_difference_seldom_claim_one(null_studies: NullStudies) -> None:
    assert null_studies.share_certain <= 0.1


def test_the_best_estimate_is_half_as_optimistic_as_the_best_raw_mean(
    null_studies: NullStudies,
) -> None:
    assert null_studies.raw_optimism > NOISE  # the best of 35 draws lies above one deviation
    assert null_studies.optimism < 0.5 * null_studies.raw_optimism


def test_the_interval_covers_the_truth() -> None:
    inside = []
    for seed in range(40):
        runs, truth = simulated(seed, SPREAD)
        known = estimated(runs, "plain")
        inside += [
            abs(one.accuracy - truth[key]) < 1.96 * one.standard_error
            for key, one in known.items()
            if key != "plain"
        ]
    assert 0.85 <= float(np.mean(inside)) <= 0.99


def test_estimates_move_with_the_scale_of_the_accuracies() -> None:
    scale, shift = 0.5, 0.2
    known = estimated(FEW, "plain")
    moved = estimated({k: [scale * v + shift for v in runs] for k, runs in FEW.items()}, "plain")
    for key, one in known.items():
        assert moved[key].accuracy == pytest.approx(scale * one.accuracy + shift, rel=1e-9)
        assert moved[key].raw_mean == pytest.approx(scale * one.raw_mean + shift, rel=1e-9)
        assert moved[key].standard_error == pytest.approx(scale * one.standard_error, rel=1e-6)
        assert moved[key].gain == pytest.approx(scale * one.gain, abs=1e-9)
        assert moved[key].gain_error == pytest.approx(scale * one.gain_error, rel=1e-6)
        assert moved[key].probability_better == pytest.approx(one.probability_better, abs=1e-6)


def test_without_replicates_the_raw_means_stand_with_an_unknown_error() -> None:
    known = estimated({"plain": [0.9], "a": [0.95]}, "plain")
    assert [one.accuracy for one in known.values()] == [0.9, 0.95]
    for one in known.values():
        unknown = (one.standard_error, one.gain, one.gain_error, one.probability_better)
        assert all(isnan(value) for value in unknown)


def test_without_the_plain_network_or_any_spread_the_errors_are_unknown() -> None:
    assert isnan(estimated({"a": [0.9, 0.91]}, "plain")["a"].standard_error)
    assert isnan(estimated({"plain": [0.9, 0.9], "a": [0.9]}, "plain")["a"].standard_error)


def test_the_plain_network_gains_nothing_over_itself() -> None:
    base = estimated(FEW, "plain")["plain"]
    assert (base.gain, base.gain_error) == (0, 0)
    assert base.probability_better == pytest.approx(0.5)


def test_estimates_agree_with_a_brute_force_integration() -> None:
    """The same model as one joint normal of all runs, on another and finer grid."""
    keys = list(FEW)
    known = estimated(FEW, "plain")
    y_N = np.array([one for runs in FEW.values() for one in runs])
    z_NA = np.array([[key == other for other in keys] for key in keys for _ in FEW[key]], float)
    weight_G, mean_GA, covariance_GAA = brute_force(y_N - y_N.mean(), z_NA)
    total_A = weight_G @ mean_GA
    gain_GA = mean_GA - mean_GA[:, :1]
    variance_GA = np.diagonal(covariance_GAA, axis1=1, axis2=2)
    gain_variance_GA = variance_GA + variance_GA[:, :1] - 2 * covariance_GAA[:, 0]
    overall_A = weight_G @ (variance_GA + (mean_GA - total_A) ** 2)
    for i, key in enumerate(keys[1:], start=1):
        better = weight_G @ ndtr(gain_GA[:, i] / np.sqrt(gain_variance_GA[:, i]))
        assert known[key].accuracy == pytest.approx(total_A[i] + y_N.mean(), abs=4e-5)
        assert known[key].standard_error == pytest.approx(sqrt(overall_A[i]), rel=0.01)
        gain = weight_G @ gain_GA[:, i]
        assert known[key].gain == pytest.approx(gain, abs=4e-5)
        gain_error = sqrt(weight_G @ (gain_variance_GA[:, i] + (gain_GA[:, i] - gain) ** 2))
        assert known[key].gain_error == pytest.approx(gain_error, rel=0.005)
        assert known[key].probability_better == pytest.approx(better, abs=0.005)


def brute_force(y_N: Array, z_NA: Array) -> tuple[Array, Array, Array]:
    """Return the weight of each grid point, and mean and covariance of the true accuracies there.

    The flat prior of the common mean is a normal one, a hundred spreads wide. The prior of σ is
    flat in its logarithm, that of τ in τ itself, so its grid is even.
    """
    spread = float(y_N.std())
    sigma, tau = np.meshgrid(
        spread * np.geomspace(GRID[0], GRID[-1], 80), spread * np.linspace(GRID[0], GRID[-1], 250)
    )
    sigma_G11, tau_G11 = sigma.reshape(-1, 1, 1), tau.reshape(-1, 1, 1)
    num_runs, num_architectures = z_NA.shape
    prior_GAA = (100 * spread) ** 2 + tau_G11**2 * np.eye(num_architectures)
    total_GNN = z_NA @ prior_GAA @ z_NA.T + sigma_G11**2 * np.eye(num_runs)
    inverse_GNN = np.linalg.inv(total_GNN)
    log_density_G = -0.5 * np.linalg.slogdet(total_GNN)[1]
    log_density_G -= 0.5 * np.einsum("n,gnm,m->g", y_N, inverse_GNN, y_N)
    weight_G = np.exp(log_density_G - log_density_G.max())
    pull_GAN = prior_GAA @ z_NA.T @ inverse_GNN
    covariance_GAA = prior_GAA - pull_GAN @ z_NA @ prior_GAA
    return weight_G / weight_G.sum(), pull_GAN @ y_N, covariance_GAA


def test_replicates_that_agree_by_luck_make_nothing_certain() -> None:
    seen = {"plain": [0.5, 0.5, 0.5], "other": [0.505]}
    assert estimated(seen, "plain")["other"].probability_better > 0.99
    known = estimated(seen, "plain", least_noise=0.006)
    assert known["other"].probability_better < 0.9


def test_a_forecast_counts_as_the_share_of_a_run_that_it_is_worth() -> None:
    """At the noise's own error it is a run; at ten times that a hundredth of one."""

    def moved(error: float) -> float:
        forecasts = {"c": [Forecast(0.8, error)]}
        found = posterior_of(FEW, "plain", forecasts=forecasts)
        return estimated(FEW, "plain")["c"].accuracy - estimates(FEW, found)["c"].accuracy

    noise = pooled_noise(FEW)
    assert noise is not None
    assert moved(noise.sd) > 5 * moved(10 * noise.sd) > 0


def test_where_all_replicates_are_equal_forecasts_say_nothing() -> None:
    runs = {"plain": [0.1, 0.1, 0.1], "other": [0.12]}
    forecasts = {"third": [Forecast(0.2, 0.01)]}
    found = posterior_of(runs, "plain", forecasts=forecasts)
    assert found is not None
    assert found.keys == ("plain", "other")
