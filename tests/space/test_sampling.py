import random
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import pytest
from pydantic import ValidationError

from space import (
    BACKBONES,
    MECHANISMS,
    Architecture,
    Choice,
    Placement,
    SearchSpace,
    assignment,
    baselines,
    cost,
    cost_range,
    digest,
    plain,
    plan,
    random_architecture,
    sample,
)
from space.place import BLOCKS, POSITIONS


class Chooser:
    """Draws at random and remembers what it was asked and what it answered."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked: dict[str, tuple[Choice, ...]] = {}
        self.answers: dict[str, Choice] = {}

    def __call__(self, name: str, options: tuple[Choice, ...]) -> Choice:
        assert name not in self.asked, f"{name} is asked for twice"
        self.asked[name] = options
        self.answers[name] = self.random.choice(options)
        return self.answers[name]


class Recorded:
    """Answers from an assignment."""

    def __init__(self, answers: dict[str, Choice]) -> None:
        self.answers = answers

    def __call__(self, name: str, options: tuple[Choice, ...]) -> Choice:
        assert self.answers[name] in options
        return self.answers[name]


def drawn(name: str, num_samples: int = 300) -> Iterator[tuple[Architecture, Chooser]]:
    search_space = SearchSpace(backbone=name)
    for seed in range(num_samples):
        chooser = Chooser(seed)
        yield sample(chooser, search_space), chooser


def is_proposed(architecture: Architecture) -> bool:
    return all(
        slot.attention.reason_invalid(slot.shape) is None
        and slot.attention.reason_unproposed(slot.shape) is None
        for slot in plan(architecture)
    )


@pytest.mark.parametrize("name", ["resnet20", "resnet18", "resnet50"])
def test_every_sample_is_valid_and_the_space_knows_which_are_proposed(name: str) -> None:
    search_space = SearchSpace(backbone=name)
    for architecture, _ in drawn(name):
        assert Architecture.from_json(architecture.to_json()) == architecture
        reason = search_space.reason_unproposed(architecture)
        assert is_proposed(architecture) == (reason is None)


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_of_a_hundred_samples_five_at_most_are_refused(name: str) -> None:
    proposed = [is_proposed(architecture) for architecture, _ in drawn(name)]
    assert sum(proposed) / len(proposed) > 0.95


def test_a_random_architecture_is_proposed() -> None:
    generator, search_space = random.Random(0), SearchSpace(backbone="resnet20")
    for _ in range(300):
        assert is_proposed(random_architecture(generator, search_space))


def test_what_does_not_fit_before_a_stage_is_refused_with_the_shape_there() -> None:
    search_space = SearchSpace(backbone="resnet20")
    placement = Placement.model_validate({"attention": {"kind": "non_local"}, "position": "pre"})
    reason = search_space.reason_unproposed(search_space.architecture((None, placement, None)))
    assert reason == (
        "non_local at pre of stage 2 (16@32x32) is not proposed: an attention map over all "
        "positions is proposed for at most 256 of them, got 1024"
    )
    behind_first = placement.model_copy(update={"blocks": "last"})
    assert not search_space.reason_unproposed(
        search_space.architecture((None, behind_first, None))
    )


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_an_assignment_is_what_the_sample_was_drawn_by(name: str) -> None:
    search_space = SearchSpace(backbone=name)
    for architecture, chooser in drawn(name):
        assert assignment(architecture, search_space) == chooser.answers


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_only_listed_parameters_are_asked_and_none_with_one_choice(name: str) -> None:
    parameters, asked = SearchSpace(backbone=name).parameters(), set()
    for _, chooser in drawn(name):
        asked |= set(chooser.asked)
        for parameter, options in chooser.asked.items():
            assert options == parameters[parameter]
            assert len(options) > 1
    assert asked == set(parameters)


def every_network(search_space: SearchSpace, stage: int) -> Iterator[Architecture]:
    """Yield every combination of searched values and places in one stage; the others are plain."""
    for kind in search_space.kinds:
        searched = MECHANISMS[kind].searched
        for *values, position, blocks in product(*searched.values(), POSITIONS, BLOCKS):
            attention = {"kind": kind, **dict(zip(searched, values, strict=True))}
            data = {"attention": attention, "position": position}
            placement = Placement.model_validate(
                data if position == "stage_end" else {**data, "blocks": blocks}
            )
            placements = [
                placement if one.number == stage else None for one in search_space.stages
            ]
            try:
                yield search_space.architecture(tuple(placements))
            except ValueError:
                continue  # it cannot be built


@pytest.mark.parametrize(
    ("kind", "by_stage"),
    [
        # In 3 blocks: four positions in all, the first, the last or every other one; post, where
        # the last is behind the stage; and behind the stage: 4 * 4 + 3 + 1 = 20 places. One width
        # at 16 channels. At 32 reductions 8 and 16 are one, before the first block, which sees 16,
        # 4 is, too. At 64 all differ, before the first block 8 and 16 do not.
        ("se", (1 + 20, 1 + 20 * 2 - 1, 1 + 20 * 3 - 1)),
        # Stage 1: channels only, by 3 scores. Later 2 reductions of positions, 3 of channels, 6 of
        # both. Before stage 2 positions are too many in all, the first and every other block, and
        # an embedding of 32/8 = 4 is too narrow nowhere in the last.
        ("dual", (1 + 20 * 3, 1 + 17 * 11 + 3 * 3, 1 + 20 * 11)),
    ],
)
def test_the_size_counts_every_different_network(kind: str, by_stage: tuple[int, ...]) -> None:
    search_space = SearchSpace(backbone="resnet20", kinds=(kind,))
    assert search_space.size() == prod(by_stage)


@pytest.mark.parametrize("kind", MECHANISMS)
@pytest.mark.parametrize("name", ["resnet8", "resnet20", "resnet10", "resnet26"])
def test_the_size_is_the_number_of_networks_that_are_proposed(name: str, kind: str) -> None:
    search_space = SearchSpace(backbone=name, kinds=(kind,))
    for stage in search_space.stages:
        proposed = [
            one
            for one in every_network(search_space, stage.number)
            if search_space.reason_unproposed(one) is None
        ]
        assert all(map(is_proposed, proposed))
        assert len({digest(one) for one in proposed}) == len(stage.placements)


@pytest.mark.parametrize(
    ("placements", "reason"),
    [
        ([{"kind": "gam"}], "gam in stage 2 is not proposed: kinds here are se, triplet"),
        (
            [{"kind": "se", "min_width": 8}],
            "se in stage 2 is not proposed: min_width must be one of 4, got 8",
        ),
        ([{"kind": "se"}, {"kind": "se"}], "stage 2 may have 1 placement, got 2"),
    ],
)
def test_what_is_not_searched_is_named(placements: list[dict[str, Any]], reason: str) -> None:
    search_space = SearchSpace(backbone="resnet20", kinds=("se", "triplet"))
    second = [{"attention": one, "position": "residual"} for one in placements]
    data = {"backbone": "resnet20", "stages": [[], second, []]}
    assert search_space.reason_unproposed(Architecture.model_validate(data)) == reason


def test_a_gain_of_zero_and_another_backbone_are_not_searched() -> None:
    search_space = SearchSpace(backbone="resnet20")
    se = {"attention": {"kind": "se"}, "position": "residual", "gain": "zero"}
    placement = Placement.model_validate(se)
    reason = search_space.reason_unproposed(search_space.architecture((placement, None, None)))
    assert reason == "se in stage 1 is not proposed: gain must be plain, got zero"
    reason = search_space.reason_unproposed(plain("resnet8"))
    assert reason == "backbone must be resnet20, got resnet8"


def test_a_setting_that_fits_only_before_its_stage_is_not_proposed() -> None:
    """The last stage of ResNet-10 has 4x4 positions, before it there are 8x8."""
    search_space = SearchSpace(backbone="resnet10")
    triplet = {"attention": {"kind": "triplet", "kernel": 7}, "position": "pre"}
    placement = Placement.model_validate(triplet)
    architecture = search_space.architecture((None, None, None, placement))
    assert search_space.reason_unproposed(architecture) == (
        "triplet at pre of stage 4 (512@4x4) is not proposed: "
        "kernel must be at most the map's side 4, got 7"
    )


@pytest.mark.parametrize(
    ("stage", "attention"),
    [
        (1, {"kind": "non_local"}),
        (1, {"kind": "dual"}),
        (4, {"kind": "cbam", "kernel": 7}),
        (4, {"kind": "gam", "kernel": 7}),
    ],
)
def test_the_tutorials_networks_are_valid_though_not_proposed(
    stage: int, attention: dict[str, Any]
) -> None:
    """Non-local and dual attention over 32x32 positions, 7x7 kernels on 4x4 of them."""
    search_space = SearchSpace(backbone="resnet18")
    stages = [
        [{"attention": attention, "position": "stage_end"}] if number == stage else []
        for number in range(1, 5)
    ]
    architecture = Architecture.model_validate({"backbone": "resnet18", "stages": stages})
    assert cost(architecture).macs > cost(plain("resnet18")).macs
    reason = search_space.reason_unproposed(architecture)
    assert reason is not None
    assert "is not proposed: " in reason


def test_a_kind_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="kinds must each be named once, got se again"):
        SearchSpace(backbone="resnet20", kinds=("se", "se"))


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_no_sample_costs_less_or_more_than_the_range(name: str) -> None:
    least, most = cost_range(SearchSpace(backbone=name))
    assert least == cost(plain(name))
    for architecture, _ in drawn(name):
        found = cost(architecture)
        assert least.macs <= found.macs <= most.macs
        assert least.params <= found.params <= most.params


@pytest.mark.parametrize("name", BACKBONES)
def test_baselines_are_within_what_is_proposed(name: str) -> None:
    search_space = SearchSpace(backbone=name)
    found = baselines(search_space)
    assert set(found) == set(search_space.kinds)
    for kind, architecture in found.items():
        chooser = Recorded(assignment(architecture, search_space))
        assert digest(sample(chooser, search_space)) == digest(architecture)
        assert {slot.attention.kind for slot in plan(architecture)} == {kind}


@pytest.mark.parametrize("name", BACKBONES)
def test_baselines_stand_where_the_mechanism_usually_does(name: str) -> None:
    for architecture in baselines(SearchSpace(backbone=name)).values():
        for slot in plan(architecture):
            assert slot.position == slot.attention.usual_position
            assert slot.position == "residual" or slot.shape.positions <= 256


def test_quadratic_maps_are_proposed_for_256_positions_or_sub_sampled() -> None:
    parameters = SearchSpace(backbone="resnet20").parameters()
    assert "stage1.non_local.sub_sample" not in parameters  # True is its only choice
    assert parameters["stage2.non_local.sub_sample"] == (False, True)
    assert "stage1.dual.branches" not in parameters  # channels only
    assert "stage1.dual.reduction" not in parameters  # which do not use it
    assert parameters["stage2.dual.branches"] == ("position", "channel", "both")


def test_kernels_are_proposed_up_to_the_maps_side() -> None:
    parameters = SearchSpace(backbone="resnet18").parameters()
    assert parameters["stage3.gam.kernel"] == (3, 5, 7)
    assert "stage4.gam.kernel" not in parameters  # 4x4: only 3 fits


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"kinds must be among se, cbam, .*, got nope"):
        SearchSpace(backbone="resnet20", kinds=("se", "nope"))
