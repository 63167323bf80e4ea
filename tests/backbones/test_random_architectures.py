"""Whatever is proposed costs, once built, exactly what was said before."""

import random

import pytest

from backbones import measure
from space import SearchSpace, cost, random_architecture


@pytest.mark.parametrize("name", ["resnet8", "resnet20"])
@pytest.mark.parametrize("seed", range(5))
def test_ten_random_architectures_cost_what_was_said(name: str, seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(10):
        architecture = random_architecture(generator, SearchSpace(backbone=name))
        measured, expected = measure(architecture), cost(architecture)
        assert (measured.macs, measured.params) == (expected.macs, expected.params)
