from collections.abc import Callable
from dataclasses import replace
from math import exp, log, sqrt

import pytest

from space import Cost, SearchSpace, baselines
from studies import Front, Point, verdict
from studies.estimates.posterior import Estimate
from studies.front import Reference, distinguishable
from studies.verdicts import deeper_cost

MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]

SE = baselines(SearchSpace(backbone="resnet8"))["se"]
LARGER = (
    Reference("larger", Cost(200, 400), 0.91, 1),
    Reference("largest", Cost(400, 800), 0.93, 1),
)


def winning(gain: float, better: float = 0.99) -> Estimate:
    return Estimate(0.9 + gain, 0.001, 1, 0.9 + gain, gain, 0.0021, better)


@pytest.fixture
def front(make_point: MakePoint, make_front: MakeFront) -> Front:
    """Plain at 0.9, and SE at 1 % more MACs with a certain gain of 0.4 points."""
    winner = make_point(0.904, 101, 106, architecture=SE, estimate=winning(0.004))
    return make_front(make_point(0.9), winner, references=LARGER, num_trainings=41)


def with_winner(front: Front, estimate: Estimate) -> Front:
    rows = (front.rows[0], replace(front.rows[1], estimate=estimate))
    return replace(front, rows=rows, points=rows)


def test_without_the_plain_network_there_is_no_verdict(front: Front) -> None:
    assert verdict(replace(front, points=front.points[1:])) == (
        "no verdict: the plain network has not finished a training yet"
    )


def test_without_a_noise_there_is_no_verdict(front: Front) -> None:
    assert verdict(replace(front, noise=None)) == (
        "no verdict: the noise is not measured yet (no network was trained twice)"
    )


def test_a_gain_that_may_be_noise_is_no_gain(front: Front) -> None:
    uncertain = with_winner(front, winning(0.004, better=0.975))
    assert distinguishable(uncertain) is None
    assert verdict(uncertain) == "no placement is distinguishable from plain (n = 41)"


def test_a_certain_gain_is_told_with_its_error_and_what_depth_would_cost(front: Front) -> None:
    # A gain of 0.4 of the 1.0 points up to `larger`: 2 ** 0.4 of plain's cost.
    assert f"{100 * (2**0.4 - 1):.0f}" == "32"
    assert verdict(front) == (
        "se r16 in stages 1, 2, 3: +0.4 ± 0.2 points for +1.0 % MACs (n = 1); "
        "a deeper plain network needs +32 % MACs for that"
    )


def test_the_verdict_can_be_against_parameters(front: Front) -> None:
    # 106 of 100; four times the cost for one point.
    assert f"{100 * (4**0.4 - 1):.0f}" == "74"
    assert verdict(replace(front, cost_name="params")) == (
        "se r16 in stages 1, 2, 3: +0.4 ± 0.2 points for +6.0 % params (n = 1); "
        "a deeper plain network needs +74 % params for that"
    )


def test_the_largest_certain_gain_wins(front: Front, make_point: MakePoint) -> None:
    larger_but_uncertain = make_point(0.92, 110, estimate=winning(0.02, better=0.9))
    larger = make_point(0.91, 105, estimate=winning(0.01))
    rows = (*front.rows, larger, larger_but_uncertain)
    assert distinguishable(replace(front, rows=rows, points=rows)) is larger


def test_without_a_deeper_network_nothing_is_compared(front: Front) -> None:
    smaller = Reference("smaller", Cost(50, 50), 0.89, 1)
    for references in ((), (smaller,)):
        assert verdict(replace(front, references=references)).endswith(
            "for +1.0 % MACs (n = 1); no deeper plain network was trained to compare with"
        )


def test_a_gain_beyond_every_deeper_network_is_said(front: Front) -> None:
    assert verdict(with_winner(front, winning(0.04))).endswith(
        "; no deeper plain network up to +300 % MACs reached that"
    )


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (0.005, 100 * sqrt(2)),  # half of the way to 200 at 0.91
        (0.01, 200),
        (0.02, 200 * sqrt(2)),  # half of the way from there to 400 at 0.93
        (0.025, exp(log(200) + 0.75 * log(2))),
        (0.03, 400),
    ],
)
def test_the_cost_of_depth_is_interpolated_in_its_logarithm(
    front: Front, gain: float, expected: float
) -> None:
    assert deeper_cost(front, gain) == pytest.approx(expected)


def test_the_line_of_depth_starts_at_plain(front: Front) -> None:
    smaller = Reference("smaller", Cost(50, 50), 0.5, 1)
    with_smaller = replace(front, references=(smaller, *LARGER))
    assert deeper_cost(with_smaller, 0.005) == deeper_cost(front, 0.005)
    assert deeper_cost(front, 0.031) is None


def test_depth_that_does_not_help_at_first_is_followed_further(front: Front) -> None:
    dip = (Reference("larger", Cost(200, 400), 0.89, 1), LARGER[1])
    # From 0.89 at 200 to 0.93 at 400: 0.91 is half of the way.
    assert deeper_cost(replace(front, references=dip), 0.01) == pytest.approx(200 * sqrt(2))
