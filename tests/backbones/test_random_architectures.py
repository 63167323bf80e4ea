"""Whatever is proposed costs, once built, exactly what was said before."""

import random
from typing import Any, get_args

import pytest

from backbones import measure
from space import BACKBONES, MECHANISMS, Architecture, SearchSpace, cost, random_architecture
from space.place import BLOCKS, POSITIONS
from space.placement import Gain
from tests.space.allowed import allowed_values


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        *(("resnet8", seed) for seed in range(3)),
        ("resnet20", 0),
        *(pytest.param("resnet20", seed, marks=pytest.mark.slow) for seed in (1, 2, 3)),
        *(pytest.param("resnet14w64", seed, marks=pytest.mark.slow) for seed in (0, 1)),
        pytest.param("resnet26", 0, marks=pytest.mark.slow),
    ],
)
def test_ten_random_architectures_cost_what_was_said(name: str, seed: int) -> None:
    generator, search_space = random.Random(seed), SearchSpace(backbone=name)
    for _ in range(10):
        architecture = random_architecture(generator, search_space)
        measured, expected = measure(architecture), cost(architecture)
        assert (measured.macs, measured.params) == (expected.macs, expected.params)


def random_file(generator: random.Random, name: str) -> Architecture:
    """Return an architecture with up to three placements in a stage, of any values."""
    while True:
        stages = [
            [random_placement(generator) for _ in range(generator.randrange(4))]
            for _ in BACKBONES[name].stages
        ]
        try:
            return Architecture.model_validate({"backbone": name, "stages": stages})
        except ValueError:
            continue  # widths that do not divide


def random_placement(generator: random.Random) -> dict[str, Any]:
    kind, position = generator.choice(list(MECHANISMS)), generator.choice(POSITIONS)
    values = {name: generator.choice(one) for name, one in allowed_values(kind).items()}
    place = {} if position == "stage_end" else {"blocks": generator.choice(BLOCKS)}
    gain = generator.choice(get_args(Gain))
    return {"attention": {"kind": kind, **values}, "position": position, "gain": gain, **place}


@pytest.mark.parametrize("name", ["resnet8", "resnet14", "resnet10", "resnet26", "resnet8w64"])
def test_whatever_a_file_may_hold_costs_what_was_said(name: str) -> None:
    generator = random.Random(name)
    for _ in range(4):
        architecture = random_file(generator, name)
        measured, expected = measure(architecture), cost(architecture)
        counts = (measured.macs, measured.params)
        assert counts == (expected.macs, expected.params), architecture.to_json()
