from collections.abc import Callable
from dataclasses import replace
from math import hypot, sqrt

import numpy as np
import pytest
from numpy.random import Generator

from space import Architecture, Cost, SearchSpace, baselines, cost, cost_axis, digest, plain
from studies import Evaluation, Front, Point, front_of
from studies.estimates.posterior import estimates, pooled_noise, posterior_of
from studies.front import best, difference, knee, recommended, undominated
from studies.paired import flip_variance, paired_difference

MakeEvaluation = Callable[..., Evaluation]
MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]

SPACE = SearchSpace(backbone="resnet8")
PLAIN, USUAL = plain("resnet8"), baselines(SPACE)


def is_beaten(point: Point, others: tuple[Point, ...]) -> bool:
    """Say whether another point costs no more and is no worse, and the two are not one."""

    def rank(one: Point) -> tuple[float, float, int]:
        return one.cost.macs, -one.estimate.accuracy, one.trial

    return any(
        other.cost.macs <= point.cost.macs
        and other.estimate.accuracy >= point.estimate.accuracy
        and rank(other) < rank(point)
        for other in others
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_front_is_what_no_other_point_beats(seed: int, make_point: MakePoint) -> None:
    generator = np.random.default_rng(
        seed
    )  # on a coarse grid, so that there are ties of all kinds
    points = tuple(
        make_point(int(generator.integers(8)) / 10, int(generator.integers(100, 112)))
        for _ in range(30)
    )
    found = undominated(points, "macs")
    assert set(map(id, found)) == {id(one) for one in points if not is_beaten(one, points)}
    assert list(found) == sorted(found, key=lambda one: one.cost.macs)
    assert found == undominated(points[::-1], "macs")


@pytest.mark.parametrize("cost_name", ["macs", "params"])
def test_plain_stays_the_first_row_before_a_free_mechanism_that_beats_it(
    cost_name: str, make_evaluation: MakeEvaluation
) -> None:
    free = USUAL["simam"]
    assert cost(free) == cost(PLAIN)
    done = [make_evaluation(free, 0.9), make_evaluation(PLAIN, 0.5), make_evaluation(PLAIN, 0.52)]
    front = front_of(done, "resnet8", cost_name)
    assert [row.architecture for row in front.rows] == [PLAIN, free]


def test_no_placement_costs_less_than_plain() -> None:
    """So that nothing but the plain network can be the first row."""
    for stage in SPACE.stages:
        added = [stage.cost(placement) for placement in stage.placements]
        assert min(one.macs for one in added) == min(one.params for one in added) == 0


@pytest.mark.parametrize("cost_name", ["macs", "params"])
def test_plain_is_the_first_row_be_it_the_worst(
    cost_name: str, make_evaluation: MakeEvaluation
) -> None:
    done = [make_evaluation(one, 0.9 + i / 100) for i, one in enumerate(USUAL.values())]
    front = front_of([*done, make_evaluation(PLAIN, 0.1)], "resnet8", cost_name)
    assert front.rows[0].architecture.is_plain
    assert front.plain is front.rows[0]
    assert len(front.rows) > 1


def test_the_other_cost_makes_another_front(make_evaluation: MakeEvaluation) -> None:
    se, gam = USUAL["se"], USUAL["gam"]
    done = [
        make_evaluation(PLAIN, 0.90, cost=Cost(100, 100)),
        make_evaluation(gam, 0.96, cost=Cost(200, 120)),
        make_evaluation(se, 0.95, cost=Cost(110, 300)),
    ]
    by_macs, by_params = (front_of(done, "resnet8", name) for name in ("macs", "params"))
    assert [one.cost.macs for one in by_macs.rows] == [100, 110, 200]
    assert [one.cost.params for one in by_params.rows] == [100, 120]  # 300 params for less
    assert len(by_params.points) == 3


def test_replicates_are_pooled_by_digest(make_evaluation: MakeEvaluation) -> None:
    se = USUAL["se"]
    done = [
        make_evaluation(PLAIN, 0.90, b"\x01", trial=0),
        make_evaluation(se, 0.91, b"\x03", trial=1),
        make_evaluation(PLAIN, 0.904, b"\x05", trial=2, purpose="replicate"),
        make_evaluation(PLAIN, 0.902, b"\x07", trial=3, purpose="replicate"),
    ]
    front = front_of(done, "resnet8", "macs")
    runs = {digest(PLAIN): [0.90, 0.904, 0.902], digest(se): [0.91]}
    assert [one.trials for one in front.points] == [(0, 2, 3), (1,)]
    assert front.points[0].correct == (b"\x01", b"\x05", b"\x07")
    assert front.noise == pooled_noise(runs)
    assert front.flips == flip_variance([[b"\x01", b"\x05", b"\x07"]])
    networks = {digest(one): one for one in (PLAIN, se)}
    posterior = posterior_of(
        runs, digest(PLAIN), architectures=networks, least_noise=sqrt(front.flips)
    )
    known = estimates(runs, posterior)
    assert [one.estimate for one in front.points] == list(known.values())
    assert front.num_trainings == 4


def test_only_finished_trainings_count(make_evaluation: MakeEvaluation) -> None:
    unfinished = [
        make_evaluation(one, 0.99, state=state)
        for one, state in zip(USUAL.values(), ("failed", "refused", "running"), strict=False)
    ]
    front = front_of([make_evaluation(PLAIN, 0.9), *unfinished], "resnet8", "macs")
    assert [one.digest for one in front.points] == [digest(PLAIN)]
    assert front.num_trainings == 1


def test_references_are_a_line_and_never_on_the_front(make_evaluation: MakeEvaluation) -> None:
    larger, largest = plain("resnet14"), plain("resnet20")
    done = [
        make_evaluation(PLAIN, 0.90),
        make_evaluation(largest, 0.93, purpose="reference", trial=None),
        make_evaluation(larger, 0.91, purpose="reference", trial=None),
        make_evaluation(larger, 0.92, purpose="reference", trial=None),
        make_evaluation(largest, 0.10, purpose="reference", trial=None, state="failed"),
    ]
    front = front_of(done, "resnet8", "macs")
    assert [one.digest for one in front.points] == [digest(PLAIN)]
    assert [one.name for one in front.references] == ["resnet14", "resnet20"]  # cheapest first
    assert [one.accuracy for one in front.references] == [pytest.approx(0.915), 0.93]
    assert [one.num_evaluations for one in front.references] == [2, 1]
    assert front.references[0].cost == cost(larger)
    assert front.num_trainings == 1


def test_a_study_without_a_finished_training_has_an_empty_front() -> None:
    front = front_of((), "resnet8", "macs")
    assert front.rows == front.points == ()
    assert front.plain is None
    assert front.noise is None


def test_the_best_row_is_the_dearest(make_point: MakePoint, make_front: MakeFront) -> None:
    points = [make_point(0.92, 130), make_point(0.90, 100), make_point(0.91, 110)]
    rows = undominated(points, "macs")
    assert best(make_front(*rows)).estimate.accuracy == 0.92


def test_the_knee_is_farthest_from_the_chord(make_point: MakePoint, make_front: MakeFront) -> None:
    rows = [make_point(a, c) for a, c in ((0.9, 100), (0.92, 101), (0.93, 103), (0.95, 109))]
    # On the axis 0, log10 2, log10 4, log10 10 = 0, 0.30, 0.60, 1; upwards 0, 0.4, 0.6, 1 of the
    # rise: 0.4 - 0.30 is more than 0.6 - 0.60.
    assert knee(make_front(*rows)) is rows[1]


@pytest.mark.parametrize("seed", range(10))
def test_the_knee_has_the_largest_distance_by_coordinates(
    seed: int, make_point: MakePoint, make_front: MakeFront
) -> None:
    generator = np.random.default_rng(seed)
    heights = 0.9 + 0.05 * np.sqrt(np.arange(6) / 5) + np.cumsum(generator.random(6)) / 1000
    macs = 100 + np.cumsum(generator.integers(1, 60, size=6))
    rows = [make_point(float(h), int(c)) for h, c in zip(heights, macs, strict=True)]
    places = [cost_axis(int(c), 100) for c in macs]
    width, rise = places[-1] - places[0], float(heights[-1] - heights[0])
    x, y = (np.array(places) - places[0]) / width, (heights - heights[0]) / rise
    distances = (y - x) / hypot(1, 1)
    assert knee(make_front(*rows)) is rows[int(np.argmax(distances))]


def test_a_front_without_a_chord_has_its_first_row_as_knee(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    alone = make_point(0.9)
    assert knee(make_front(alone)) is alone


def test_the_recommended_row_is_the_cheapest_that_is_like_the_best(
    make_point: MakePoint, make_front: MakeFront, pack: Callable[[str], bytes]
) -> None:
    right = {"cheap": "1" * 40 + "0" * 40, "middle": "1" * 71 + "0" * 9, "top": "1" * 72 + "0" * 8}
    rows = [
        make_point(text.count("1") / 80, 100 + i, correct=(pack(text),))
        for i, text in enumerate(right.values())
    ]
    rows[2] = replace(rows[2], estimate=replace(rows[2].estimate, probability_better=0.99))
    front = make_front(*rows)
    lost = paired_difference(rows[2].correct, rows[0].correct, front.noise, front.flips)
    assert difference(front, rows[2], rows[0]) == lost
    assert lost.mean == pytest.approx(32 / 80)
    assert not lost.includes_zero
    assert recommended(front) is rows[1]  # one image of 80 is nothing
    assert recommended(make_front(rows[0], rows[2])) is rows[2]
    assert recommended(replace(front, noise=None)) is rows[0]  # an unknown noise tells none apart


def test_plain_is_recommended_where_nothing_is_distinguishable(
    make_point: MakePoint, make_front: MakeFront
) -> None:
    rows = (make_point(0.90, 100), make_point(0.95, 120, correct=(b"\xff",)))
    assert recommended(make_front(*rows)) is rows[0]


def test_a_null_study_recommends_plain() -> None:
    generator = np.random.default_rng(5)
    recommends = []
    for _ in range(20):
        runs = [(PLAIN, number) for number in range(3)]
        runs += [(one, 10 * i) for i, one in enumerate(USUAL.values(), start=1)]
        front = front_of([null_run(one, i, generator) for one, i in runs], "resnet8", "macs")
        recommends.append(recommended(front).architecture.is_plain)
    assert sum(recommends) >= 18


def null_run(architecture: Architecture, trial: int, generator: Generator) -> Evaluation:
    """Return a run that is right on each of 4,000 images with 70 %, whatever the network."""
    right = generator.random(4000) < 0.7
    return Evaluation(
        id=trial,
        trial=trial,
        proposal=trial,
        purpose="trial",
        digest=digest(architecture),
        architecture=architecture,
        cost=cost(architecture),
        seed=trial,
        state="complete",
        attempt=1,
        reason=None,
        accuracy=float(right.mean()),
        correct=np.packbits(right).tobytes(),
        seconds=1.0,
        images_per_second=1.0,
    )
