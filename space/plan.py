"""The one expansion of an architecture: build, cost, gates and drawings read it."""

import hashlib
import json
from dataclasses import asdict, dataclass

from .architecture import Architecture, Placement, Position
from .attention import Mechanism, Sizes
from .shape import Shape


@dataclass(frozen=True, slots=True)
class Slot:
    """One attention module to be: where it stands, what it sees, and its derived sizes.

    Stages and blocks count from 1. `order` tells the modules in one place apart.
    """

    stage: int
    block: int
    position: Position
    order: int
    shape: Shape
    attention: Mechanism
    sizes: Sizes

    @property
    def macs(self) -> int:
        """Return the module's multiply-accumulates for one image."""
        return self.attention.macs(self.shape)

    @property
    def params(self) -> int:
        """Return the module's trainable numbers."""
        return self.attention.params(self.shape)


def plan(architecture: Architecture) -> tuple[Slot, ...]:
    """Return every attention module of the network, in the order of the stages and blocks."""
    slots: list[Slot] = []
    backbone = architecture.plain_backbone()
    for index, (stage, shape) in enumerate(zip(backbone.stages, backbone.shapes(), strict=True)):
        for block in range(1, stage.num_blocks + 1):
            present = [
                placement
                for placement in architecture.stages[index]
                if block in _blocks(placement, stage.num_blocks)
            ]
            slots += _slots(present, index + 1, block, shape)
    return tuple(slots)


def digest(architecture: Architecture) -> str:
    """Return 16 hexadecimal digits of the network's effective sizes.

    Two spellings of one network (a reduction that the minimum width overrules, say) share it.
    """
    effective = {
        "backbone": architecture.backbone,
        "num_classes": architecture.num_classes,
        "slots": [_effective(slot) for slot in plan(architecture)],
    }
    text = json.dumps(effective, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _blocks(placement: Placement, num_blocks: int) -> range:
    """Return the numbers of the blocks that get the placement."""
    return range(1 if placement.blocks == "all" else num_blocks, num_blocks + 1)


def _slots(present: list[Placement], stage: int, block: int, shape: Shape) -> list[Slot]:
    orders: dict[Position, int] = {}
    slots = []
    for placement in present:
        order = orders.get(placement.position, 0)
        orders[placement.position] = order + 1
        sizes = placement.attention.sizes(shape)
        slots.append(
            Slot(stage, block, placement.position, order, shape, placement.attention, sizes)
        )
    return slots


def _effective(slot: Slot) -> list[object]:
    place = [slot.stage, slot.block, slot.position, slot.order]
    return [*place, slot.attention.kind, asdict(slot.sizes)]
