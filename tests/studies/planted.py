"""Studies with known effects: what each mechanism is truly worth in each stage is planted."""

from collections.abc import Mapping, Sequence
from itertools import product
from random import Random

import numpy as np

from space import (
    Architecture,
    SearchSpace,
    baselines,
    cost,
    digest,
    plain,
    random_architecture,
)
from studies import Evaluation

KINDS = ("se", "simam")
SMALL = SearchSpace(backbone="resnet8", kinds=KINDS)
LEVEL = 0.8
Worth = Mapping[tuple[int, str], float]  # by stage, from 1, and mechanism


def factorial(search_space: SearchSpace = SMALL) -> list[Architecture]:
    """Return every choice of nothing, or a mechanism in its usual place, in every stage."""
    usual = baselines(search_space)
    options = [
        (None, *(usual[kind].stages[s][0] for kind in search_space.kinds))
        for s in range(len(search_space.stages))
    ]
    return [search_space.architecture(chosen) for chosen in product(*options)]


def drawn(number: int, search_space: SearchSpace, seed: int) -> list[Architecture]:
    """Return plain three times and random networks."""
    generator = Random(seed)
    rest = [random_architecture(generator, search_space) for _ in range(number)]
    return [*[plain(search_space.backbone)] * 3, *rest]


def planted(
    networks: Sequence[Architecture], worth: Worth, *, noise: float, seed: int = 0
) -> list[Evaluation]:
    """Return one training of each network, whose accuracy is a sum of worths and noise."""
    generator = np.random.default_rng(seed)
    accuracies = [LEVEL + _truth(one, worth) + noise * generator.normal() for one in networks]
    return [trained(i, *pair) for i, pair in enumerate(zip(networks, accuracies, strict=True))]


def _truth(architecture: Architecture, worth: Worth) -> float:
    numbered = enumerate(architecture.stages, start=1)
    return sum(worth.get((n, one.attention.kind), 0.0) for n, own in numbered for one in own)


def trained(number: int, architecture: Architecture, accuracy: float) -> Evaluation:
    """Return one training that is complete, the number of its trial given."""
    return Evaluation(
        id=number + 1,
        trial=number,
        proposal=number,
        purpose="trial",
        digest=digest(architecture),
        architecture=architecture,
        cost=cost(architecture),
        seed=number,
        state="complete",
        attempt=1,
        reason=None,
        accuracy=accuracy,
        correct=b"\xf0",
        seconds=1.0,
        images_per_second=1.0,
    )
