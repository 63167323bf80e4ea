"""Trainings that are drawn instead of done: an accuracy, and the images that it is made of."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from studies import Epoch

from ..grid.grid import Run
from .whole_space import NOISE, WholeSpace

NUM_IMAGES = 5_000  # of validation; they fill whole bytes


@dataclass
class SimulatedLuck:
    """The trainings of one replay: every method meets the same at a network's n-th training."""

    ground: WholeSpace
    replay: int
    drawn: Counter[str] = field(default_factory=Counter)

    def draw(self, name: str) -> Run:
        """Return the next training of a network.

        Its own level lies around the truth, and it gets each image right with that probability;
        the accuracy is the share of those that it does, and its deviation is the noise:
        level's variance · (1 − 1/n) + truth · (1 − truth) / n = noise².
        """
        one, turn = self.ground.network(name), self.drawn[name]
        self.drawn[name] += 1
        rng = np.random.default_rng([self.replay, int(one.digest, 16), turn])
        flips = one.accuracy * (1 - one.accuracy) / NUM_IMAGES
        deviation = np.sqrt((NOISE**2 - flips) / (1 - 1 / NUM_IMAGES))
        right = rng.random(NUM_IMAGES) < rng.normal(one.accuracy, deviation)
        accuracy, correct = float(right.mean()), np.packbits(right).tobytes()
        curve = (Epoch(1, np.nan, np.nan, accuracy, one.epoch_seconds),)  # it has no losses
        return Run(turn, accuracy, None, one.epoch_seconds, curve, correct)

    def truth(self, name: str) -> float:
        """Return the accuracy that trainings scatter around."""
        return self.ground.network(name).accuracy
