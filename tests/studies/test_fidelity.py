"""Rank correlations across seeds, by hand, against scipy, and on curves whose truth is known."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from studies import Epoch, Run, fidelity, retest
from studies.rankings import SIGNALS, agreement


def run(*accuracies: float) -> Run:
    """Return a training with these accuracies; losses are 1 less the accuracy."""
    curve = tuple(Epoch(n, 1 - a, 1 - a, a, 1.0) for n, a in enumerate(accuracies, start=1))
    return Run(curve, accuracies[-1])


def test_the_tau_is_scipys_also_with_ties() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.integers(0, 6, (2, 20)).astype(float)
    found = agreement(np.stack([first, first], 1), np.stack([second, second], 1)).everyone
    assert found.tau == pytest.approx(float(kendalltau(first, second).statistic))


def test_three_pairs_by_hand() -> None:
    """Two seeds order a, b, c as 1 2 3 and 1 3 2: two pairs agree and one does not."""
    found = retest({"a": [0.1, 0.1], "b": [0.2, 0.3], "c": [0.3, 0.2]})
    assert found is not None
    assert found.tau == pytest.approx(1 / 3)


def test_a_retest_needs_two_networks_with_two_trainings() -> None:
    assert retest({"a": [0.1, 0.2], "b": [0.2]}) is None


def test_a_signal_is_compared_with_another_seed_only() -> None:
    """Each seed's first epoch tells its own end exactly, and the opposite of the other seed's."""
    runs = {str(k): [run(k / 10, k / 10), run((4 - k) / 10, (4 - k) / 10)] for k in range(5)}
    found = fidelity(runs)
    assert found.retest.everyone.tau == pytest.approx(-1)
    assert {one.agreement.everyone.tau for one in found.rungs} == {-1}


def test_signals_promise_more_where_they_are_higher() -> None:
    worse = (Epoch(1, 2.0, 2.0, 0.3, 1.0), Epoch(2, 1.5, 1.8, 0.4, 1.0))
    better = (Epoch(1, 1.9, 1.9, 0.4, 1.0), Epoch(2, 1.4, 1.6, 0.5, 1.0))
    for signal in SIGNALS.values():
        assert signal(better) > signal(worse)
    assert SIGNALS["training_losses"](worse) == -3.5


def test_later_epochs_rank_better_and_none_better_than_the_end() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(0.0, 1.0, 40)
    noise = (6.0, 1.5, 0.3)  # of epochs 1 to 3
    runs = {
        str(t): [run(*(t + generator.normal(0.0, sd) for sd in noise)) for _ in range(3)]
        for t in truth
    }
    found = fidelity(runs)
    taus = [one.agreement.everyone.tau for one in found.rungs if one.signal == "accuracy"]
    assert taus == sorted(taus)
    assert taus[-1] == found.retest.everyone.tau
    assert (found.num_architectures, found.num_runs, found.num_epochs) == (40, 3, 3)
    assert len(found.rungs) == 3 * len(SIGNALS)


def test_runs_beyond_the_fewest_do_not_count() -> None:
    pair = {str(k): [run(0.1 * k), run(0.1 * k)] for k in range(4)}
    more = {**pair, "0": [run(0.0), run(0.0), run(0.9)]}
    assert fidelity(more) == fidelity(pair)


def test_the_better_half_is_chosen_by_a_seed_that_is_not_tested() -> None:
    """The third seed names 2 and 3; among those the first two disagree, among all they do not."""
    values = {
        "0": [0.1, 0.1, 0.0],
        "1": [0.2, 0.2, 0.0],
        "2": [0.3, 0.4, 1.0],
        "3": [0.4, 0.3, 1.0],
    }
    final = np.array(list(values.values()))
    first_two = final[:, [0, 1, 2]]
    found = agreement(first_two, final)
    everyone = np.mean(
        [
            kendalltau(final[:, i], final[:, j]).statistic
            for i in range(3)
            for j in range(3)
            if i != j
        ]
    )
    assert found.everyone.tau == pytest.approx(float(everyone))
    # pairs (0, 1), (1, 0): half {2, 3} by seed 2, tau −1; the others see ties of seed 2 there: 0
    assert found.better_half.tau == pytest.approx(-2 / 6)


def test_a_signal_that_is_the_same_for_all_ranks_nothing() -> None:
    found = agreement(np.zeros((5, 2)), np.random.default_rng(0).random((5, 2)))
    assert found.everyone == found.better_half
    assert (found.everyone.tau, found.everyone.low, found.everyone.high) == (0, 0, 0)


def test_intervals_hold_the_truth_about_19_times_of_20() -> None:
    """Correlation r of two normal draws: τ = 2·asin(r) / π; here r = 1/2 and τ = 1/3."""
    generator, held = np.random.default_rng(5), 0
    for _ in range(60):
        truth = generator.normal(0.0, 1.0, (25, 1))
        found = retest(dict(enumerate(truth + generator.normal(0.0, 1.0, (25, 2)))))  # type: ignore[arg-type] # keys are any names
        assert found is not None
        held += found.low <= 1 / 3 <= found.high
    assert 0.85 <= held / 60 <= 0.99
