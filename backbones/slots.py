"""Slots as modules: what stands in each place of a block, or behind a stage."""

from collections.abc import Iterable

from torch import nn

from space import Slot
from space.place import POSITIONS, Position

from .attention import BUILDERS, AttentionModule, Gained


def in_block(slots: Iterable[Slot], block: int) -> dict[Position, nn.Module]:
    """Return what stands in one block, for every position in it."""
    own = [slot for slot in slots if slot.block == block]
    return {one: standing_at(one, own) for one in POSITIONS if one != "stage_end"}


def standing_at(position: Position, slots: Iterable[Slot]) -> nn.Module:
    """Return the modules at one position in their order; none is the identity."""
    own = (slot for slot in slots if slot.position == position)
    return nn.Sequential(*map(_module, sorted(own, key=lambda slot: slot.order)))


def _module(slot: Slot) -> AttentionModule:
    module = BUILDERS[slot.attention.kind](slot.shape.channels, slot.sizes)
    return Gained(module) if slot.gain == "zero" else module
