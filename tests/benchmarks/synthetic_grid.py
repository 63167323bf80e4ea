"""A grid of made-up trainings: truths by formula, noise by a seed."""

import numpy as np

from benchmarks.grid.grid import Entry, Grid, Run
from benchmarks.grid.subspace import OPTIONS, architectures
from space import cost, digest
from studies import Epoch

GAINS = (0.0, 0.004, 0.010, 0.006, -0.003, 0.008)  # of each option, in every stage
LEVEL = 0.75
NUM_IMAGES = 1000


def truth(name: str) -> float:
    """Return what an architecture's trainings scatter around."""
    return LEVEL + sum(GAINS[OPTIONS.index(kind)] for kind in name.split("/"))


def synthetic_grid(num_options: int, *, noise: float = 0.002, num_epochs: int = 6) -> Grid:
    """Return a whole grid of three seeds; a curve climbs to its end, quicker than it scatters."""
    rng = np.random.default_rng(0)

    def run(name: str, seed: int) -> Run:
        accuracy = truth(name) + float(rng.normal(0, noise))
        correct = np.arange(NUM_IMAGES) < accuracy * NUM_IMAGES
        curve = tuple(
            Epoch(n, 1.0, 1.0, accuracy - 0.1 * (num_epochs - n) / num_epochs, 2.0)
            for n in range(1, num_epochs + 1)
        )
        seconds = 2.0 * num_epochs
        return Run(seed, accuracy, None, seconds, curve, np.packbits(correct).tobytes())

    entries = (
        Entry(name, one, digest(one), cost(one), tuple(run(name, seed) for seed in range(3)))
        for name, one in architectures("resnet8", num_options).items()
    )
    return Grid("resnet8", tuple(entries))
