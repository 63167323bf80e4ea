"""What the attention modules of a network did with a few images, ready to be drawn.

Shapes: B images, C channels, H x W pixels, h x w places of a map, Y x X of any plane, S values.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.floating]
ByteArray: TypeAlias = npt.NDArray[np.uint8]
Shown: TypeAlias = Literal["map", "bars", "plane"]

NUM_RANGES = 40
# Softmax weights are told by how often the mean weight they are: from a thousandth to all of 64.
MOST_TIMES = (1e-3, 64.0)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One quantity of a module, for each of B images.

    A `map` (B x h x w) lies over the image, whatever its size; NaN is where there is nothing.
    `bars` (B x C) are one number for each channel. A `plane` (B x Y x X) has no place in the
    image. The query is the place that takes what a map shows: its share of height and of width.
    """

    gate: str
    title: str
    shown: Shown
    values: FloatArray
    query: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GateValues:
    """Values of one gate, any number of them, and its statistics in words.

    `num_keys` is set for softmax rows, whose mean weight is one over it.
    """

    name: str
    words: str
    values: FloatArray
    limits: tuple[float, float] | None = None
    num_keys: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModuleFacts:
    """One attention module: what it is, what it did, and the verdict on it."""

    name: str
    words: str  # the mechanism and the map it sees
    verdict: str
    is_dead: bool
    views: tuple[View, ...]
    gates: tuple[GateValues, ...]

    @property
    def line(self) -> str:
        """Return all of it in one line of text."""
        gates = "; ".join(f"{gate.name} {gate.words}" for gate in self.gates)
        return f"{self.name}: {self.words}: {gates}; {self.verdict}"


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A network's modules in the order of its pass, and the images they were looked at with."""

    title: str
    images: ByteArray  # B x H x W x 3
    captions: tuple[str, ...]
    modules: tuple[ModuleFacts, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """The share of the values in each range; the ends hold what lies beyond them.

    Empty where no value is finite.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    axis: str
    is_log: bool = False


def histogram(gate: GateValues) -> Histogram:
    """Return how the gate's values are distributed, over its limits where it has some."""
    values_S = gate.values[np.isfinite(gate.values)].astype(float)
    if not values_S.size:
        return Histogram((), (), "no finite value")
    if gate.num_keys:
        edges = np.geomspace(*MOST_TIMES, NUM_RANGES + 1)
        return _counted(values_S * gate.num_keys, edges, "times the mean weight", is_log=True)
    low, high = gate.limits or _own_limits(values_S)
    return _counted(values_S, np.linspace(low, high, NUM_RANGES + 1), "value")


def sampled(values_BE: FloatArray, most: int) -> FloatArray:
    """Return about `most` values of each image, the same ones of every image.

    The step is odd: along rows of 2ⁿ values it reaches every column.
    """
    step = ceil(values_BE[0].size / most) | 1
    flat_BE = values_BE.reshape(len(values_BE), -1)
    return flat_BE[:, ::step]


def _own_limits(values_S: FloatArray) -> tuple[float, float]:
    """Return the least and the largest value, or a range around the only one."""
    low, high = float(values_S.min()), float(values_S.max())
    margin = max(abs(low), 1.0) / 2 if high - low < 1e-6 * max(abs(low), 1e-6) else 0.0
    return low - margin, high + margin


def _counted(
    values_S: FloatArray, edges: FloatArray, axis: str, is_log: bool = False
) -> Histogram:
    counts, _ = np.histogram(values_S.clip(edges[0], edges[-1]), edges)
    shares = tuple((counts / values_S.size).tolist())
    return Histogram(tuple(edges.tolist()), shares, axis, is_log)
