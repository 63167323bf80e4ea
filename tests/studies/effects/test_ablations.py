from collections.abc import Callable
from math import inf

import pytest
from scipy.special import stdtrit

from space import Architecture, SearchSpace, baselines, digest, placements_in_words, plain
from studies import Front, Point
from studies.effects.ablations import ablated, ablations
from studies.estimates.posterior import Noise
from studies.paired import paired_difference

MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]
Pack = Callable[[str], bytes]

SPACE = SearchSpace(backbone="resnet20")
USUAL = baselines(SPACE)


def in_words(architecture: Architecture) -> dict[str, str]:
    found = ablations(architecture)
    return {one.what: placements_in_words(one.architecture) for one in found}


def test_each_placement_is_taken_out_and_moved_to_every_empty_stage() -> None:
    se, triplet = USUAL["se"].stages[1][0], USUAL["triplet"].stages[2][0]
    assert in_words(SPACE.architecture((None, se, triplet))) == {
        "without se r16 in stage 2": "triplet k7 in stage 3",
        "without triplet k7 in stage 3": "se r16 in stage 2",
        "se r16 in stage 2 moved to stage 1": "se r16 in stage 1; triplet k7 in stage 3",
        "triplet k7 in stage 3 moved to stage 1": "triplet k7 in stage 1; se r16 in stage 2",
    }


def test_a_full_network_has_nowhere_to_move_to() -> None:
    assert list(in_words(USUAL["se"])) == [f"without se r16 in stage {n}" for n in (1, 2, 3)]


def test_plain_has_nothing_to_take_out() -> None:
    assert ablations(plain("resnet20")) == ()


def test_a_stage_where_it_cannot_be_built_is_left_out() -> None:
    """Two groups divide the hidden widths 32/16 and 64/16 of stages 2 and 3, not the 1 of 1."""
    gam = {"kind": "gam", "variant": "grouped", "groups": 2, "reduction": 16, "min_width": 1}
    stages = [[], [{"attention": gam, "position": "residual"}], []]
    wide = Architecture.model_validate({"backbone": "resnet20", "stages": stages})
    moved = [one.what.rpartition(" ")[2] for one in ablations(wide)[1:]]
    assert moved == ["3"]


def test_one_network_is_trained_once_however_it_is_reached() -> None:
    se = USUAL["se"].stages[0][0].model_dump()
    twice = Architecture.model_validate({"backbone": "resnet20", "stages": [[se, se], [], []]})
    digests = [digest(one.architecture) for one in ablations(twice)]
    assert len(digests) == len(set(digests))
    assert [one.what for one in ablations(twice)] == [
        "without se r16 in stage 1",
        "se r16 in stage 1 moved to stage 2",
        "se r16 in stage 1 moved to stage 3",
    ]


@pytest.mark.parametrize("kind", USUAL)
def test_every_ablation_is_another_valid_network_of_the_same_backbone(kind: str) -> None:
    own = USUAL[kind]
    for one in ablations(own):
        assert digest(one.architecture) != digest(own)
        assert (one.architecture.backbone, one.architecture.num_classes) == ("resnet20", 10)
        assert Architecture.from_json(one.architecture.to_json()) == one.architecture


def test_the_difference_is_the_paired_one_with_its_interval(
    make_point: MakePoint, make_front: MakeFront, pack: Pack
) -> None:
    runs, others = [pack("11111111"), pack("11110111")], [pack("11000000")]
    front = make_front(make_point(0.9), noise=Noise(0.01, 4), flips=1e-5)
    found = ablated("without se", runs, others, front, 1)
    expected = paired_difference(runs, others, Noise(0.01, 4), 1e-5)
    assert (found.difference, found.num_runs, found.num_ablated_runs) == (expected, 2, 1)
    width = 2.776445 * expected.standard_error  # t table, 4 degrees of freedom
    assert found.low == pytest.approx(expected.mean - width)
    assert found.high == pytest.approx(expected.mean + width)
    assert found.low > 0  # the placement helps


def test_six_changes_are_judged_together(
    make_point: MakePoint, make_front: MakeFront, pack: Pack
) -> None:
    """Bonferroni: 1 - 0.05 / 12 of Student's with 4 degrees of freedom."""
    runs, others = [pack("11111111")], [pack("11000000")]
    front = make_front(make_point(0.9), noise=Noise(0.01, 4), flips=1e-5)
    found = ablated("without se", runs, others, front, 6)
    width = float(stdtrit(4, 1 - 0.05 / 12)) * found.difference.standard_error
    assert (found.low, found.high) == pytest.approx(
        (found.difference.mean - width, found.difference.mean + width)
    )


def test_without_a_known_noise_the_interval_has_no_ends(
    make_point: MakePoint, make_front: MakeFront, pack: Pack
) -> None:
    found = ablated(
        "w", [pack("11110000")], [pack("11000000")], make_front(make_point(0.9), noise=None), 2
    )
    assert (found.low, found.high) == (-inf, inf)
