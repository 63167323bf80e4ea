"""The paired difference of two architectures on the same validation images."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from .estimates.posterior import Noise

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more of the images the first architecture gets right, 0 to 1."""

    mean: float
    standard_error: float
    degrees_of_freedom: int

    @property
    def includes_zero(self) -> bool:
        """Say whether the 95 % interval holds 0; without a known noise it does."""
        if self.degrees_of_freedom == 0:
            return True
        width = float(stdtrit(self.degrees_of_freedom, 0.975)) * self.standard_error
        return abs(self.mean) <= width


def paired_difference(
    first: Sequence[bytes], second: Sequence[bytes], noise: Noise | None, flips: float
) -> Difference:
    """Compare the runs of two architectures image by image.

    The variance over images of the difference, which pairing keeps small, holds each run's
    independent flips already. What runs differ by beyond those (`noise` less `flips`) moves all
    images of a run together and is added for each run.
    """
    ours, theirs = _correctness(first), _correctness(second)
    change = ours.mean(axis=0) - theirs.mean(axis=0)
    over_images = float(change.var(ddof=1)) / change.size
    if noise is None:
        return Difference(float(change.mean()), sqrt(over_images), 0)
    together = max(0.0, noise.sd**2 - flips) * (1 / len(first) + 1 / len(second))
    error = sqrt(over_images + together)
    return Difference(float(change.mean()), error, noise.degrees_of_freedom)


def flip_variance(runs: Sequence[Sequence[bytes]]) -> float:
    """Return the variance of a run's accuracy that comes from images flipping independently.

    Takes the runs of each architecture; those with one run say nothing.
    """
    replicated = [_correctness(one) for one in runs if len(one) > 1]
    if not replicated:
        return 0.0
    weights = [len(one) - 1 for one in replicated]
    variances = [one.var(axis=0, ddof=1).mean() / one.shape[1] for one in replicated]
    return float(np.average(variances, weights=weights))


def _correctness(runs: Sequence[bytes]) -> Array:
    """Return runs x images of 0 and 1: validation sets fill whole bytes, so no bit is padding."""
    bits = [np.unpackbits(np.frombuffer(run, dtype=np.uint8)) for run in runs]
    return np.array(bits, dtype=np.float64)
