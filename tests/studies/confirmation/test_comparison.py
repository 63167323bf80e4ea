"""Intervals, resolution and optimism of a confirmation, by their formulas."""

from dataclasses import astuple
from math import sqrt

import numpy as np
import pytest
from scipy.special import stdtrit

from space import SearchSpace, baselines, digest, plain
from studies.confirmation.comparison import (
    Arm,
    Claim,
    Confirmation,
    gains,
    optimism,
    resolution,
    sd_interval,
    seeds_to_resolve,
)
from studies.estimates.posterior import Noise

PLAIN = plain("resnet8")
SE = baselines(SearchSpace(backbone="resnet8"))["se"]
ECA = baselines(SearchSpace(backbone="resnet8"))["eca"]


def test_one_comparison_is_students_with_the_pooled_variance() -> None:
    """Dunnett's test of a single arm: mean ± t(n + m - 2) · s · sqrt(1/n + 1/m)."""
    ours, base = [0.52, 0.55, 0.53], [0.50, 0.49, 0.52, 0.51, 0.48]
    freedom = len(ours) + len(base) - 2
    scatter = 2 * np.var(ours, ddof=1) + 4 * np.var(base, ddof=1)
    error = sqrt(scatter / freedom * (1 / 3 + 1 / 5))
    width = float(stdtrit(freedom, 0.975)) * error
    found = gains({"base": base, "ours": ours}, "base")["ours"]
    assert found.value == pytest.approx(np.mean(ours) - np.mean(base))
    assert (found.low, found.high) == pytest.approx(
        (found.value - width, found.value + width), abs=2e-4
    )


def test_more_comparisons_widen_every_interval_up_to_bonferronis() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0.5, 0.01, 9).tolist()
    arms = {f"arm{n}": rng.normal(0.5, 0.01, 3).tolist() for n in range(4)}
    alone = gains({"base": base, "arm0": arms["arm0"]}, "base")["arm0"]
    together = gains({"base": base, **arms}, "base")
    assert list(together) == list(arms)
    scatter = sum(2 * np.var(one, ddof=1) for one in arms.values()) + 8 * np.var(base, ddof=1)
    freedom = 4 * 2 + 8
    error = sqrt(scatter / freedom * (1 / 3 + 1 / 9))
    half = together["arm0"].high - together["arm0"].value
    assert float(stdtrit(freedom, 0.975)) * error < half
    assert half < float(stdtrit(freedom, 1 - 0.025 / 4)) * error * 1.001
    assert alone.value == together["arm0"].value


def test_nothing_to_compare_and_no_noise_at_all() -> None:
    assert gains({"base": [0.5, 0.6]}, "base") == {}
    same = gains({"base": [0.5, 0.5], "arm": [0.7, 0.7]}, "base")["arm"]
    assert (same.value, same.low, same.high) == pytest.approx((0.2, 0.2, 0.2))


def test_the_resolution_of_one_arm_by_hand() -> None:
    """Five seeds against fifteen, sd 0.5: (t(18; 0.975) + t(18; 0.8)) · 0.5 · sqrt(1/5 + 1/15)."""
    quantiles = float(stdtrit(18, 0.975)) + float(stdtrit(18, 0.8))
    wanted = quantiles * 0.5 * sqrt(1 / 5 + 1 / 15)
    assert resolution(0.5, 5, 15, 1) == pytest.approx(wanted)
    assert resolution(0.5, 5, 15, 4) > resolution(0.5, 5, 15, 1) > resolution(0.5, 9, 27, 1)


def test_a_gain_that_is_resolved_is_shown_by_four_of_five_confirmations() -> None:
    """Drawn: five seeds against fifteen, one arm, its interval Student's of the pooled scatter."""
    rng, sd, num_draws = np.random.default_rng(3), 0.01, 20_000
    ours = rng.normal(resolution(sd, 5, 15, 1), sd, (num_draws, 5))
    base = rng.normal(0, sd, (num_draws, 15))
    scatter = (4 * ours.var(axis=1, ddof=1) + 14 * base.var(axis=1, ddof=1)) / 18
    half = float(stdtrit(18, 0.975)) * np.sqrt(scatter * (1 / 5 + 1 / 15))
    shown = float((ours.mean(axis=1) - base.mean(axis=1) > half).mean())
    assert shown == pytest.approx(0.8, abs=0.01)


def test_a_deviation_of_few_replicates_has_chi_squares_interval() -> None:
    """Of 3 degrees of freedom the quantiles are 0.2158 and 9.3484 (any table)."""
    low, high = sd_interval(Noise(0.003, 3))
    assert (low, high) == pytest.approx(
        (0.003 * sqrt(3 / 9.3484), 0.003 * sqrt(3 / 0.2158)), rel=1e-3
    )


@pytest.mark.parametrize("gain", [0.002, 0.004, 0.01])
def test_the_seeds_chosen_are_the_fewest_that_resolve(gain: float) -> None:
    seeds = seeds_to_resolve(gain, 0.003, 5, 3)
    assert seeds is not None
    assert resolution(0.003, seeds, 3 * seeds, 5) <= gain
    assert seeds == 2 or resolution(0.003, seeds - 1, 3 * (seeds - 1), 5) > gain
    assert seeds_to_resolve(1e-6, 0.003, 5, 3) is None


def arm(claimed: float, error: float | None = 0.003, architecture: object = SE) -> Arm:
    claim = Claim(
        accuracy=claimed, standard_error=error, gain=0.01, gain_error=0.004, num_evaluations=2
    )
    return Arm.model_validate(
        {"role": "finalist", "architecture": architecture, "seeds": (1, 2), "claim": claim}
    )


def test_optimism_is_claimed_less_fresh_and_counts_who_is_inside() -> None:
    """Claims 0.52 and 0.60; fresh means 0.51 (2 runs) and 0.55; errors sqrt(0.003² + 0.004²/2).

    The mean's error holds the claims' as if they were one, the fresh runs' as independent.
    """
    arms = [arm(0.52), arm(0.60, architecture=ECA)]
    fresh = {digest(SE): [0.50, 0.52], digest(ECA): [0.55, 0.55]}
    found = optimism(arms, fresh, Noise(0.004, 3))
    assert found is not None
    width = float(stdtrit(3, 0.975)) * sqrt(0.003**2 + 0.004**2 / 2 / 2)
    assert astuple(found.mean) == pytest.approx((0.03, 0.03 - width, 0.03 + width))
    assert (found.num_inside, found.num_finalists) == (1, 2)  # 0.01 < 3.18 · 0.0041 < 0.05
    assert found.num_runs == 4
    many = optimism(arms, fresh, Noise(0.004, 1000))
    assert many is not None
    assert many.num_inside == 0  # 0.01 > 1.96 · 0.0041


def test_no_claim_no_optimism() -> None:
    assert optimism([arm(0.5, None)], {digest(SE): [0.5]}, Noise(0.01, 3)) is None
    assert optimism([arm(0.5)], {}, Noise(0.01, 3)) is None
    assert optimism([arm(0.5)], {digest(SE): [0.5]}, None) is None


def test_the_key_tells_questions_apart_and_nothing_else() -> None:
    def asked(**changed: object) -> str:
        values = {
            "epochs": 6,
            "num_images": 1000,
            "protocol_digest": "a",
            "own_digest": "b",
            "fresh_seeds": (5, 6),
            "arms": (Arm(role="plain", architecture=PLAIN, seeds=(1, 2, 3)), arm(0.5)),
            **changed,
        }
        return Confirmation.model_validate(values).key

    assert asked() == asked(
        arms=(Arm(role="plain", architecture=PLAIN, seeds=(1, 2, 3)), arm(0.6))
    )
    others = [
        asked(epochs=7),
        asked(num_images=1001),
        asked(fresh_seeds=(5,)),
        asked(arms=(Arm(role="plain", architecture=PLAIN, seeds=(1, 2)), arm(0.5))),
    ]
    assert len({asked(), *others}) == 5
