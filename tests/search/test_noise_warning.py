"""The warning of a study whose networks differ no more than its noise."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from search.config import config_of
from search.defaults import with_defaults
from search.noise_warning import noise_warning
from studies import Front, Point
from studies.estimates.posterior import Noise

Make = Callable[..., Front]
CONFIG = config_of(with_defaults({"backbone": "resnet8"}, "cpu", "float32"))


@pytest.fixture
def front_with(make_point: Callable[..., Point], make_front: Make) -> Make:
    """Return a maker of a study so far: plain three times and others once, by their accuracies."""

    def make(*others: float, noise: Noise | None, plain: float = 0.7) -> Front:
        base, *rest = (make_point(one) for one in (plain, *others))
        base = replace(base, estimate=replace(base.estimate, num_evaluations=3))
        return make_front(base, *rest, noise=noise, num_trainings=3 + len(others))

    return make


def test_networks_that_differ_by_their_noise_are_warned_of(front_with: Make) -> None:
    found = noise_warning(
        front_with(0.69, 0.71, 0.70, 0.71, 0.69, 0.70, noise=Noise(0.01, 2)), CONFIG
    )
    assert found is not None
    assert found.startswith("warning: trainings of one network differ by 1.00 points")
    assert "networks by 0.00" in found  # the means scatter less than the noise alone
    assert "`search pilot --budget 30m --backbone resnet8 --dataset cifar10`" in found


def test_networks_that_differ_by_more_are_not(front_with: Make) -> None:
    others = (0.66, 0.74, 0.62, 0.78, 0.68, 0.72)
    assert noise_warning(front_with(*others, noise=Noise(0.01, 2)), CONFIG) is None


def test_the_deviations_decide_on_which_side_it_is(front_with: Make) -> None:
    """Plain's mean of 3 and six others: n0 = (9 − 15 / 9) / 6 = 11 / 9; means 0.7 but two ± d.

    SSA = 2·d², so between² = (d² / 3 − seed²) / n0, which is seed² for d² = 3·(1 + 11 / 9)·seed².
    """
    edge = (3 * (1 + 11 / 9)) ** 0.5 * 0.01
    for factor, warned in ((0.99, True), (1.01, False)):
        others = (0.7 - factor * edge, 0.7 + factor * edge, 0.7, 0.7, 0.7, 0.7)
        found = noise_warning(front_with(*others, noise=Noise(0.01, 2)), CONFIG)
        assert (found is not None) is warned


def test_before_nine_trainings_or_without_noise_nothing_is_said(front_with: Make) -> None:
    assert noise_warning(front_with(*[0.7] * 5, noise=Noise(0.01, 2)), CONFIG) is None
    assert noise_warning(front_with(*[0.7] * 6, noise=None), CONFIG) is None
