"""Mean differences and their intervals, against the formulas by hand."""

from math import sqrt

import pytest

from benchmarks.differences import Difference, paired, unpaired

FIRST, SECOND = [0.90, 0.92, 0.94], [0.89, 0.92, 0.92]
T_2, T_4 = 4.302653, 2.776445  # Student's t at 97.5 % for 2 and 4 degrees of freedom


def test_a_paired_interval_uses_the_deviation_of_the_differences() -> None:
    found = paired(FIRST, SECOND)  # differences 0.01, 0, 0.02: mean 0.01, deviation 0.01
    assert found.mean == pytest.approx(0.01)
    assert found.high - found.mean == pytest.approx(T_2 * 0.01 / sqrt(3), rel=1e-5)
    assert found.mean - found.low == pytest.approx(T_2 * 0.01 / sqrt(3), rel=1e-5)
    assert found.num_pairs == 3


def test_an_unpaired_interval_adds_the_variances_of_the_arms() -> None:
    found = unpaired([0.1, 0.2, 0.3], [0.3, 0.4, 0.5])  # variances 0.01, so Welch has 4 degrees
    assert found.mean == pytest.approx(-0.2)
    assert found.high - found.mean == pytest.approx(T_4 * sqrt(0.02 / 3), rel=1e-5)


def test_arms_that_never_differ_have_an_interval_without_width() -> None:
    assert paired([0.5, 0.5], [0.5, 0.5]) == unpaired([0.5, 0.5], [0.5, 0.5])
    assert paired([0.5, 0.5], [0.5, 0.5]) == Difference(0.0, 0.0, 0.0, 2)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.004, 0.005, True), (-0.006, 0.001, False), (-0.001, 0.006, False)],
)
def test_an_interval_is_within_a_limit_with_both_its_ends(
    low: float, high: float, expected: bool
) -> None:
    assert Difference(0.0, low, high, 5).within(0.005) is expected


def test_a_difference_is_told_in_points() -> None:
    assert Difference(-0.0012, -0.004, 0.0016, 5).in_words() == "−0.12 (−0.40 to +0.16) points"
