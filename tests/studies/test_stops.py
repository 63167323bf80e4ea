"""What early stopping saved, by hand."""

from collections.abc import Callable
from math import sqrt

import pytest

from space import SearchSpace, baselines, digest
from studies import Epoch, Evaluation, Front, Point, stops_of
from studies.stops import Stops

USUAL = baselines(SearchSpace(backbone="resnet8"))
MakeEvaluation = Callable[..., Evaluation]


def curve(length: int) -> list[Epoch]:
    return [Epoch(number, 2.0, 2.0, 0.5, 1.0) for number in range(1, length + 1)]


def test_saved_epochs_are_a_share_of_what_would_have_been_trained(
    make_evaluation: MakeEvaluation, make_front: Callable[..., Front]
) -> None:
    """Four ended trainings of nine epochs, two of them stopped after 1 and 3: 8 + 6 of 36."""
    one, other = make_evaluation(USUAL["se"], 0.9), make_evaluation(USUAL["se"], 0.9)
    known = [
        one,
        other,
        *(make_evaluation(USUAL["eca"], 0.1, state="stopped") for _ in range(2)),
        make_evaluation(USUAL["se"], 0.9, purpose="reference"),
        make_evaluation(USUAL["se"], 0.9, state="running"),
        make_evaluation(USUAL["se"], 0.9, state="failed"),
    ]
    lengths = (9, 9, 1, 3, 9, 4, 2)
    curves = {row.id: curve(length) for row, length in zip(known, lengths, strict=True)}
    found = stops_of(known, curves, make_front(), 9)
    assert found == Stops(num_stopped=2, saved=14 / 36, num_audits=0, num_wrong=0)


def test_a_wrong_stop_is_an_audited_network_on_the_front(
    make_evaluation: MakeEvaluation,
    make_front: Callable[..., Front],
    make_point: Callable[..., Point],
) -> None:
    known = [
        make_evaluation(USUAL["se"], 0.9, purpose="audit"),
        make_evaluation(USUAL["eca"], 0.9, purpose="audit"),
        make_evaluation(USUAL["gc"], 0.9, purpose="audit", state="running"),
        make_evaluation(USUAL["cbam"], 0.9),
    ]
    names = ("se", "gc", "cbam")
    front = make_front(*(make_point(0.9, digest=digest(USUAL[name])) for name in names))
    found = stops_of(known, {}, front, 9)
    assert (found.num_audits, found.num_wrong) == (2, 1)


def test_a_study_that_has_not_begun_has_saved_nothing(make_front: Callable[..., Front]) -> None:
    assert stops_of([], {}, make_front(), 9) == Stops(0, 0.0, 0, 0)


@pytest.mark.parametrize(("wrong", "audits"), [(0, 20), (1, 24), (20, 20)])
def test_the_interval_is_wilsons(wrong: int, audits: int) -> None:
    z, share = 1.959964, wrong / audits
    centre = (share + z**2 / (2 * audits)) / (1 + z**2 / audits)
    half = z * sqrt(share * (1 - share) / audits + (z / (2 * audits)) ** 2) / (1 + z**2 / audits)
    found = Stops(0, 0.0, audits, wrong).wrong
    assert found == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_there_is_no_interval_from_fewer_than_twenty_audits() -> None:
    assert Stops(0, 0.0, 19, 1).wrong is None
