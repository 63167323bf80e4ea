import pytest

from space import Architecture, Placement, cost_axis, plain
from space.attention.se import SE
from studies import Epoch
from studies.report.progress import progress, seconds_of
from tests.conftest import MakeEvaluation, MakeFront, MakePoint

PLAIN = plain("resnet8")


def test_the_area_grows_with_each_new_network_on_the_front_and_stays_otherwise(
    make_point: MakePoint, make_front: MakeFront, make_evaluation: MakeEvaluation
) -> None:
    """By hand: plain, and one network 0.02 better for twice the cost, at place log10(101)."""
    base = make_point(0.9, digest="plain")
    better = make_point(0.92, macs=200, digest="better", architecture=attended())
    front = make_front(base, better)
    found = [
        make_evaluation(PLAIN, 0.9, digest="plain"),
        make_evaluation(attended(), 0.92, digest="better"),
        make_evaluation(attended(), 0.92, digest="better", purpose="replicate"),
    ]
    steps = progress(front, found, {}, edge=3.0)
    width = 3.0 - cost_axis(200, 100)
    assert [one.hypervolume for one in steps] == pytest.approx([0, 0.02 * width, 0.02 * width])
    assert [one.seconds for one in steps] == [10.0, 20.0, 30.0]
    assert [one.num_trainings for one in steps] == [1, 2, 3]


def test_a_reference_takes_time_and_is_no_training_of_the_total(
    make_point: MakePoint, make_front: MakeFront, make_evaluation: MakeEvaluation
) -> None:
    front = make_front(make_point(0.9, digest="plain"))
    found = [
        make_evaluation(PLAIN, 0.9, purpose="reference"),
        make_evaluation(PLAIN, 0.9, digest="plain"),
    ]
    (step,) = progress(front, found, {}, edge=1.0)
    assert (step.num_trainings, step.seconds) == (1, 20.0)


def test_a_stopped_training_took_its_epochs(make_evaluation: MakeEvaluation) -> None:
    one = make_evaluation(PLAIN, 0.9, state="stopped", seconds=None)
    assert seconds_of(one, {one.id: [Epoch(1, 1, 1, 0.5, 2.0), Epoch(2, 1, 1, 0.5, 3.0)]}) == 5.0
    assert seconds_of(one, {}) == 0.0


def test_without_plain_there_is_no_area(
    make_point: MakePoint, make_front: MakeFront, make_evaluation: MakeEvaluation
) -> None:
    front = make_front(make_point(0.9, architecture=attended()))
    assert progress(front, [make_evaluation(PLAIN, 0.9)], {}, edge=1.0) == ()


def attended() -> Architecture:
    se = Placement(attention=SE(), position="residual")
    return Architecture(backbone="resnet8", stages=((se,), (), ()))
