"""What a network costs, exactly and before any training: thousands of architectures a second."""

import math
from dataclasses import dataclass
from functools import cache

from .architecture import Architecture
from .backbone import BACKBONES, IMAGE_SIDE, Backbone
from .plan import plan


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


def cost(architecture: Architecture) -> Cost:
    """Return the network's cost: the backbone's arithmetic plus each slot's."""
    plain = plain_cost(architecture.backbone, architecture.num_classes)
    slots = plan(architecture)
    return Cost(
        plain.macs + sum(slot.macs for slot in slots),
        plain.params + sum(slot.params for slot in slots),
    )


@cache
def plain_cost(name: str, num_classes: int) -> Cost:
    """Return the cost of the backbone without attention."""
    backbone = BACKBONES[name]
    width = backbone.stages[0].width
    macs = 27 * width * IMAGE_SIDE**2
    params = 27 * width + 2 * width
    for stage, shape in zip(backbone.stages, backbone.shapes(), strict=True):
        weights, norms = _stage_numbers(backbone, width, stage.width, stage.num_blocks)
        macs += weights * shape.positions
        params += weights + norms
        width = stage.width
    return Cost(macs + width * num_classes, params + (width + 1) * num_classes)


def cost_axis(value: float, plain: float) -> float:
    """Return x = log10(1 + 100·max(0, cost / plain − 1)): the cost axis of every figure and front.

    Free gates share a place near 0, one percent more is 0.3, twice the cost is 2.
    """
    return math.log10(1 + 100 * max(0.0, value / plain - 1))


def _stage_numbers(
    backbone: Backbone, entering: int, width: int, num_blocks: int
) -> tuple[int, int]:
    """Return the weights of all convolutions of a stage, and the numbers of its norms."""
    weights = 9 * entering * width + 9 * width**2 * (2 * num_blocks - 1)
    norms = 4 * width * num_blocks
    if backbone.shortcut == "projection" and entering != width:
        weights += entering * width
        norms += 2 * width
    return weights, norms
