"""The paragraph, sentence by sentence: right for none, one, two and many."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from space import Cost
from studies import Front, Point
from studies.effects.by_stage import Cell, Effect, Effects
from studies.effects.importance import Importance
from studies.effects.words import conclusion
from studies.estimates.posterior import Noise

MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]
KINDS = ("se", "cbam", "gam", "eca", "simam", "gc", "lka", "gct")
PROTOCOL = "6 epochs on 45,000 images of cifar10 with resnet20"


@pytest.fixture
def front(make_point: MakePoint, make_front: MakeFront) -> Front:
    return make_front(make_point(0.9), noise=Noise(0.002, 4))


def effects(sure: int = 0, alone: int = 0, unsure: int = 0, untried: int = 0) -> Effects:
    """Return cells of stage 1: the sure ones 1, 2, ... points, then those whose p is 0.04."""
    rows = [(0.01 * (i + 1), 1e-9, 0.005) for i in range(sure)]
    rows += [(0.003, 0.04, 0.001)] * alone + [(0.001, 0.5, -0.001)] * unsure
    known = tuple(
        Effect(Cell(1, kind), mean, 0.001, low, 0.1, p, 1, 2, Cost(0, 0), Cost(0, 0))
        for kind, (mean, p, low) in zip(KINDS, rows, strict=False)
    )
    rest = tuple(Cell(2, KINDS[i % len(KINDS)]) for i in range(untried))
    return Effects(known, rest, np.eye(len(known)), 1)


def said(front: Front, found: Effects, ranked: Sequence[Importance] = ()) -> str:
    return conclusion(front, found, ranked, PROTOCOL)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (effects(), "No training with attention has ended yet, so nothing is known of any"),
        (effects(unsure=1), "1 pair of a mechanism and a stage was trained, and there are no oth"),
        (effects(unsure=2, untried=1), "2 pairs of a mechanism and a stage were trained; of 1 "
         "other nothing is known: se in stage 2."),
        (effects(unsure=2, untried=2), "; of 2 others nothing is known: se in stage 2 and cbam in "
         "stage 2."),
        (effects(unsure=2, untried=3), ": se in stage 2, cbam in stage 2 and gam in stage 2."),
        (effects(unsure=2, untried=6), "were trained; of 6 others nothing is known. No"),
    ],
)  # fmt: skip
def test_what_was_trained_is_counted(front: Front, found: Effects, sentence: str) -> None:
    assert sentence in said(front, found)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (effects(unsure=1), "No effects differ from zero for sure. The run"),
        (effects(unsure=2), "No effects differ from zero for sure, both judged together (Holm's "
         "correction, 5 %). The run"),
        (effects(sure=1), "1 effect differs from zero for sure: se in stage 1 +1.00 ± 0.10"),
        (effects(sure=2, unsure=1), "2 effects differ from zero for sure, all 3 judged together "
         "(Holm's correction, 5 %): cbam in stage 1 +2.00 ± 0.10 points and se in stage 1 +1.00 ± "
         "0.10 points. The run"),
        (effects(sure=6), "simam in stage 1 +5.00 ± 0.10 points, eca in stage 1 +4.00 ± 0.10"),
        (effects(sure=6), " and se in stage 1 +1.00 ± 0.10 points. The run"),
        (effects(sure=8), "eca in stage 1 +4.00 ± 0.10 points and 3 smaller ones. The run"),
        (effects(alone=1, unsure=1), "5 %). 1 does so only if judged alone, as 1 in 20 would by"),
        (effects(alone=2, unsure=1), "5 %). 2 do so only if judged alone, as 1 in 20 would by"),
        (effects(sure=1, alone=1, unsure=1), " points. 1 more does so only if judged alone"),
        (effects(sure=1, alone=2), " points. 2 more do so only if judged alone, as 1 in 20"),
    ],
)  # fmt: skip
def test_what_differs_from_zero_is_named(front: Front, found: Effects, sentence: str) -> None:
    assert sentence in said(front, found)


def test_without_any_effect_nothing_is_claimed(front: Front) -> None:
    assert "differ from zero" not in said(front, effects(untried=3))


def choices(*probabilities: float) -> list[Importance]:
    return [
        Importance(f"stage{n}.attention", 2, 0.01, 0.001, 0.5, p, 0.5)
        for n, p in enumerate(probabilities, start=1)
    ]


def test_the_choice_that_matters_most_is_named_if_it_is_sure(front: Front) -> None:
    sure = said(front, effects(unsure=1), choices(0.01, 0.96, 0.03))
    assert "Of the choices stage2.attention matters most for accuracy (probability 0.96)." in sure
    open_ = said(front, effects(unsure=1), choices(0.3, 0.1, 0.6))
    assert "most is open; stage3.attention is the likeliest (probability 0.60)." in open_
    assert "matters most" not in said(front, effects(unsure=1), choices(1.0))


def test_the_noise_and_the_limits_are_said(front: Front) -> None:
    """t(4) = 2.776: two runs of sd 0.2 differ for sure from 2.776·√2·0.2 = 0.785 on."""
    words = said(front, effects(unsure=1))
    assert "The run-to-run sd is 0.20 points (4 degrees of freedom); two single" in words
    assert "closer than 0.79 cannot be told apart." in words
    assert f"All this is of {PROTOCOL}; longer trainings, other images and other networks" in words
    assert "Effects are a model's estimates" in words


def test_one_degree_of_freedom_is_one(make_point: MakePoint, make_front: MakeFront) -> None:
    front = make_front(make_point(0.9), noise=Noise(0.002, 1))
    assert "(1 degree of freedom)" in said(front, effects(unsure=1))
