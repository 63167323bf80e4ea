from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtr

from space import SearchSpace, baselines, plain
from studies import Evaluation, front_of, neighbours

MakeEvaluation = Callable[..., Evaluation]
PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))
NUM_IMAGES = 4000


def bits(accuracy: float, generator: np.random.Generator) -> bytes:
    return np.packbits(generator.random(NUM_IMAGES) < accuracy).tobytes()


@pytest.fixture
def known(make_evaluation: MakeEvaluation) -> list[Evaluation]:
    """Return plain, SE far above it, and GAM hardly above SE, four times each."""
    generator = np.random.default_rng(0)
    levels = [(PLAIN, 0.80), (USUAL["se"], 0.90), (USUAL["gam"], 0.9005)]
    draws = [(one, level + generator.normal(0, 0.002)) for one, level in levels for _ in range(4)]
    return [make_evaluation(one, value, bits(value, generator)) for one, value in draws]


def test_what_lies_far_apart_is_told_apart_and_what_does_not_is_not(
    known: list[Evaluation],
) -> None:
    rows = [*known, *(one for one in known if one.architecture == USUAL["gam"])]
    front = front_of(rows, "resnet8", "macs")
    found = neighbours(front)
    assert [(one.cheaper, one.dearer) for one in found] == [(1, 2), (2, 3)][: len(found)]
    assert found[0].are_told_apart
    assert all(not one.are_told_apart for one in found[1:])


def test_the_probability_is_that_of_the_joint_posterior(known: list[Evaluation]) -> None:
    front = front_of(known, "resnet8", "macs")
    first = neighbours(front)[0]
    gain = front.rows[1].estimate
    assert first.probability == gain.probability_better
    assert first.probability == pytest.approx(ndtr(gain.gain / gain.gain_error), abs=0.01)
    assert first.paired.mean == pytest.approx(0.1, abs=0.02)


def test_a_front_of_one_row_has_no_neighbours(make_evaluation: MakeEvaluation) -> None:
    assert neighbours(front_of([make_evaluation(PLAIN, 0.9)], "resnet8", "macs")) == ()
