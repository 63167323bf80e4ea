from dataclasses import replace
from random import Random

import numpy as np
import pytest

from space import Cost, Placement, SearchSpace, cost, plain
from studies import Evaluation, front_of
from studies.effects.by_stage import Cell, Effect, Effects, distinguishable, effects_of
from tests.studies.planted import KINDS, SMALL, drawn, factorial, planted

PLAIN = plain("resnet8")
CELLS = [Cell(stage, kind) for stage in (1, 2, 3) for kind in KINDS]
WORTH = {(1, "se"): 0.010, (1, "simam"): -0.006, (2, "se"): 0.004, (3, "simam"): -0.012}


def found_in(evaluations: list[Evaluation], search_space: SearchSpace = SMALL) -> Effects:
    found = effects_of(front_of(evaluations, search_space.backbone, "macs"), search_space)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def whole() -> Effects:
    """Return the effects of all 27 networks, trained three times each."""
    return found_in(planted(factorial() * 3, WORTH, noise=0.003))


def test_planted_effects_are_found_within_their_intervals(whole: Effects) -> None:
    assert [one.cell for one in whole.known] == CELLS
    for one in whole.known:
        truth = WORTH.get((one.cell.stage, one.cell.kind), 0.0)
        assert one.low < truth < one.high
        assert one.low < one.mean < one.high


def test_what_is_large_has_its_sign_for_sure_and_what_is_nothing_is_not_sure(
    whole: Effects,
) -> None:
    sure = {(one.cell.stage, one.cell.kind): one.mean for one in distinguishable(whole)}
    assert sure[1, "se"] > 0 > sure[3, "simam"]
    assert not sure.keys() - WORTH.keys()
    assert [abs(mean) for mean in sure.values()] == sorted(map(abs, sure.values()), reverse=True)


def test_a_whole_design_gives_nearly_the_difference_of_raw_means() -> None:
    """All contexts are there with and without: the raw difference needs no model."""
    rows = planted(factorial() * 6, WORTH, noise=0.001)
    (effect,) = (one for one in found_in(rows).known if one.cell == Cell(1, "se"))

    def mean(kind: str | None) -> float:
        first = [(one.architecture.stages[0], one.accuracy or 0.0) for one in rows]
        return float(
            np.mean([a for own, a in first if (own[0].attention.kind if own else None) == kind])
        )

    assert effect.mean == pytest.approx(mean("se") - mean(None), abs=0.0005)


def test_the_order_of_the_trainings_changes_nothing(whole: Effects) -> None:
    rows = planted(factorial() * 3, WORTH, noise=0.003)
    Random(1).shuffle(rows)
    again = found_in(rows)
    for one, other in zip(whole.known, again.known, strict=True):
        assert (one.cell, one.num_trainings) == (other.cell, other.num_trainings)
        assert other.mean == pytest.approx(one.mean, abs=1e-9)
        assert other.low == pytest.approx(one.low, abs=1e-9)


def test_fewer_trainings_leave_wider_intervals(whole: Effects) -> None:
    """Plain was trained ten times more, so that both know the noise."""
    few = found_in(planted([*[PLAIN] * 10, *factorial()], WORTH, noise=0.003))
    for one, other in zip(whole.known, few.known, strict=True):
        assert other.high - other.low > 1.2 * (one.high - one.low)


def test_what_was_never_trained_is_not_known() -> None:
    rows = planted([PLAIN, PLAIN, *factorial()], WORTH, noise=0.003)
    kept = [one for one in rows if not _has(one.architecture.stages[1], "se")]
    found = found_in(kept)
    assert found.untried == (Cell(2, "se"),)
    assert found.of(Cell(2, "se")) is None
    known = found.of(Cell(2, "simam"))
    assert known is not None
    assert known.num_networks == 9


def test_a_cell_counts_its_networks_and_their_trainings(whole: Effects) -> None:
    assert {(one.num_networks, one.num_trainings) for one in whole.known} == {(9, 27)}


def test_a_placement_costs_what_it_adds_to_the_plain_network(whole: Effects) -> None:
    """SE at 16@32x32 with M = 8: 2·16·8 + 8 + 16 params, and MACs by two costs' difference."""
    alone = SMALL.architecture((factorial()[9].stages[0][0], None, None))
    known = whole.of(Cell(1, "se"))
    assert known is not None
    assert known.least == known.most
    assert known.least + cost(PLAIN) == cost(alone)


def test_the_costs_of_several_settings_are_a_range() -> None:
    space = SearchSpace(backbone="resnet8", kinds=("se",))
    settings = [{"kind": "se", "reduction": r} for r in (4, 16)]
    placements = [
        Placement.model_validate({"attention": one, "position": "residual"}) for one in settings
    ]
    networks = [space.architecture((None, None, one)) for one in placements]
    (known,) = found_in(planted([PLAIN, PLAIN, *networks], {}, noise=0.003), space).known
    small, large = sorted(cost(one).params - cost(PLAIN).params for one in networks)
    assert (known.least.params, known.most.params) == (small, large)
    assert small < large


def test_without_replicates_there_are_no_effects() -> None:
    front = front_of(planted(factorial(), WORTH, noise=0.003), "resnet8", "macs")
    assert effects_of(front, SMALL) is None


def test_without_attention_there_is_nothing_to_know() -> None:
    found = found_in(
        [replace(one, id=i) for i, one in enumerate(planted([PLAIN] * 3, {}, noise=0.003))]
    )
    assert (found.known, found.untried) == ((), tuple(CELLS))


def effect(p: float, mean: float = 0.01) -> Effect:
    return Effect(Cell(1, "se"), mean, 0.001, -1, 1, p, 1, 1, Cost(0, 0), Cost(0, 0))


def test_holm_stops_at_the_first_that_is_too_likely_by_chance() -> None:
    """Of four: 0.05/4 = 0.0125, 0.05/3 = 0.0167, 0.05/2 = 0.025, 0.05."""
    rows = [effect(p, mean) for p, mean in ((0.06, 1), (0.012, 2), (0.024, -3), (0.016, 4))]
    found = distinguishable(Effects(tuple(rows), (), np.eye(4), 1))
    assert [one.mean for one in found] == [4, -3, 2]
    too_likely = [replace(rows[1], p=0.013), rows[0], *rows[2:]]
    assert distinguishable(Effects(tuple(too_likely), (), np.eye(4), 1)) == ()


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A hundred random networks, every cell worth something: 12 studies of 18 effects."""
    space = SearchSpace(backbone="resnet20", kinds=("se", "cbam", "gam", "simam", "dual", "eca"))
    inside = []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        worth = {(s, k): 0.004 * generator.normal() for s in (1, 2, 3) for k in space.kinds}
        rows = planted(drawn(100, space, seed), worth, noise=0.003, seed=seed)
        for one in found_in(rows, space).known:
            inside.append(one.low < worth[one.cell.stage, one.cell.kind] < one.high)
    assert 0.85 <= float(np.mean(inside)) <= 0.995


def _has(placements: tuple[Placement, ...], kind: str) -> bool:
    return bool(placements) and placements[0].attention.kind == kind
