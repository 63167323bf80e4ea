import random
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from space import (
    BACKBONES,
    Architecture,
    Choice,
    SearchSpace,
    assignment,
    baselines,
    cost,
    cost_range,
    digest,
    plain,
    plan,
    sample,
)


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


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_every_sample_is_valid_and_proposed(name: str) -> None:
    for architecture, _ in drawn(name):
        assert Architecture.from_json(architecture.to_json()) == architecture
        for slot in plan(architecture):
            assert slot.attention.reason_invalid(slot.shape) is None
            assert slot.attention.reason_unproposed(slot.shape) is None


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


def every_assignment(search_space: SearchSpace) -> Iterator[dict[str, Choice]]:
    """Walk the tree of questions to each of its leaves."""
    waiting: list[list[Choice]] = [[]]
    while waiting:
        path = waiting.pop()
        answers: dict[str, Choice] = {}

        def choose(
            name: str,
            options: tuple[Choice, ...],
            path: list[Choice] = path,
            answers: dict[str, Choice] = answers,
        ) -> Choice:
            depth = len(answers)
            if depth == len(path):
                waiting.extend([*path, other] for other in options[1:])
                path.append(options[0])
            answers[name] = path[depth]
            return path[depth]

        sample(choose, search_space)
        yield answers


@pytest.mark.parametrize(
    ("kind", "by_stage"),
    [
        # reductions in three places, or none, in each stage
        ("se", (1 + 3 * 3, 1 + 3 * 3, 1 + 3 * 3)),
        # channels: 3 scores; positions where N is at most 256: 2 reductions; both: 6
        ("dual", (1 + 3 * 3, 1 + 3 * (2 + 3 + 6), 1 + 3 * (2 + 3 + 6))),
    ],
)
def test_the_size_counts_every_different_assignment(kind: str, by_stage: tuple[int, ...]) -> None:
    search_space = SearchSpace(backbone="resnet20", kinds=(kind,))
    found = {tuple(sorted(one.items())) for one in every_assignment(search_space)}
    first, second, third = by_stage
    assert search_space.size() == len(found) == first * second * third


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
