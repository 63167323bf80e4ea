"""What a network costs, exactly and before any training: thousands of architectures a second."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .architecture import Architecture
from .backbone import BACKBONES, Backbone, BlockShapes
from .plan import plan
from .slot import Slot


@dataclass(frozen=True, slots=True)
class Cost:
    """What one forward pass of one image needs.

    Norms, activations, pooling and elementwise work are not counted, as is usual in the field:
    `macs` says little about time.
    """

    macs: int  # multiply-accumulates of convolutions, linear layers and attention products
    params: int  # trainable numbers

    def __getitem__(self, name: str) -> int:
        """Return the cost by the name that `--cost` takes: `macs` or `params`."""
        return {"macs": self.macs, "params": self.params}[name]

    def __add__(self, other: "Cost") -> "Cost":
        """Return what both need together."""
        return Cost(self.macs + other.macs, self.params + other.params)


def cost(architecture: Architecture) -> Cost:
    """Return the network's cost: the backbone's arithmetic plus each slot's."""
    plain = plain_cost(architecture.backbone, architecture.num_classes)
    return plain + slots_cost(plan(architecture))


def slots_cost(found: Iterable[Slot]) -> Cost:
    """Return what attention modules need together."""
    return sum((Cost(slot.macs, slot.params) for slot in found), Cost(0, 0))


@cache
def plain_cost(name: str, num_classes: int) -> Cost:
    """Return the cost of the backbone without attention: 3x3 stem, blocks, linear."""
    backbone = BACKBONES[name]
    stem, width = 27 * backbone.stem_width, backbone.stages[-1].width
    found = Cost(stem * backbone.side**2, stem + 2 * backbone.stem_width)
    for shapes in backbone.blocks():
        found += block_cost(backbone, shapes)
    return found + Cost(width * num_classes, (width + 1) * num_classes)


def cost_axis(value: float, plain: float) -> float:
    """Return x = log10(1 + 100·max(0, cost / plain − 1)): the cost axis of every figure and front.

    Free gates share a place near 0, one percent more is 0.3, twice the cost is 2.
    """
    return math.log10(1 + 100 * max(0.0, value / plain - 1))


def block_cost(backbone: Backbone, shapes: BlockShapes) -> Cost:
    """Return the sum over a block's convolutions, each with a norm of 2 numbers a channel."""
    entering, inner, leaving = shapes.entering, shapes.inner, shapes.leaving
    # Each convolution: weights, where it is computed, and how many channels it sends out.
    if backbone.block == "basic":
        convolutions = [
            (9 * entering.channels * leaving.channels, leaving.positions, leaving.channels),
            (9 * leaving.channels**2, leaving.positions, leaving.channels),
        ]
    else:
        convolutions = [
            (entering.channels * inner.channels, entering.positions, inner.channels),
            (9 * inner.channels**2, leaving.positions, inner.channels),
            (inner.channels * leaving.channels, leaving.positions, leaving.channels),
        ]
    if backbone.shortcut == "projection" and entering != leaving:
        projection = entering.channels * leaving.channels
        convolutions.append((projection, leaving.positions, leaving.channels))
    macs = sum(weights * positions for weights, positions, _ in convolutions)
    return Cost(macs, sum(weights + 2 * width for weights, _, width in convolutions))
