"""The one expansion of placements: which module stands where, and what it sees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .attention import Mechanism, Sizes
from .backbone import Backbone
from .place import Position, chosen_blocks
from .placement import Gain, Placement
from .shape import Shape

Stages = Sequence[Sequence[Placement]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One attention module to be: where it stands, what it sees, and its derived sizes.

    Stages and blocks count from 1. `order` tells the modules in one place apart. The gain is plain
    where the mechanism starts as the identity by itself.
    """

    stage: int
    block: int
    position: Position
    order: int
    shape: Shape
    attention: Mechanism
    sizes: Sizes
    gain: Gain

    @property
    def macs(self) -> int:
        """Return the module's multiply-accumulates for one image."""
        return self.attention.macs(self.shape)

    @property
    def params(self) -> int:
        """Return the module's trainable numbers, its gain included."""
        return self.attention.params(self.shape) + (self.gain == "zero")


def slots(backbone: Backbone, stages: Stages) -> tuple[Slot, ...]:
    """Return every attention module of the network, in the order of the stages and blocks.

    Each placement must be valid where it stands: ask `reason_invalid` before.
    """
    found: list[Slot] = []
    for stage, placements in zip(backbone.numbers(), stages, strict=True):
        for block in range(1, backbone.stages[stage - 1].num_blocks + 1):
            found += _in_block(backbone, placements, stage, block)
    return tuple(found)


def reason_invalid(backbone: Backbone, stages: Stages) -> str | None:
    """Return the stage, the shape and the rule by which a placement cannot be built, or None."""
    for stage, placements in zip(backbone.numbers(), stages, strict=True):
        for placement in placements:
            for shape in shapes_of(backbone, placement, stage):
                reason = placement.attention.reason_invalid(shape)
                if reason:
                    return f"{placement.attention.kind} in stage {stage} ({shape}): {reason}"
    return None


def shapes_of(backbone: Backbone, placement: Placement, stage: int) -> Iterator[Shape]:
    """Yield the different shapes that a placement sees in the blocks that get it."""
    numbers = chosen_blocks(placement.blocks, backbone.stages[stage - 1].num_blocks)
    yield from dict.fromkeys(backbone.shape_at(stage, n, placement.position) for n in numbers)


def _in_block(
    backbone: Backbone, placements: Sequence[Placement], stage: int, block: int
) -> Iterator[Slot]:
    orders: dict[Position, int] = {}
    for placement in placements:
        num_blocks = backbone.stages[stage - 1].num_blocks
        if block not in chosen_blocks(placement.blocks, num_blocks):
            continue
        position, attention = placement.position, placement.attention
        orders[position] = orders.get(position, -1) + 1
        shape = backbone.shape_at(stage, block, position)
        gain: Gain = "plain" if attention.starts_as_identity else placement.gain
        sizes, order = attention.sizes(shape), orders[position]
        yield Slot(stage, block, position, order, shape, attention, sizes, gain)
