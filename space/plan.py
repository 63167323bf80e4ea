"""What an architecture expands to, and the digest of it: two spellings of one network share it."""

import hashlib
import json
from dataclasses import asdict

from .architecture import Architecture
from .slot import Slot, slots


def plan(architecture: Architecture) -> tuple[Slot, ...]:
    """Return every attention module of the network, in the order of the stages and blocks."""
    return slots(architecture.plain_backbone(), architecture.stages)


def digest(architecture: Architecture) -> str:
    """Return 16 hexadecimal digits of the network's effective sizes.

    Two spellings of one network (a reduction that the minimum width overrules, say) share it.
    """
    last = {n: stage.num_blocks for n, stage in enumerate(architecture.plain_backbone().stages, 1)}
    effective = {
        "backbone": architecture.backbone,
        "num_classes": architecture.num_classes,
        "slots": effective_slots(plan(architecture), last),
    }
    text = json.dumps(effective, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def effective_slots(found: tuple[Slot, ...], last_blocks: dict[int, int]) -> list[list[object]]:
    """Return, for each module in a fixed order, its place, its kind and its sizes.

    Behind the addition of a stage's last block is behind the stage: what stands there comes first.
    """
    places: dict[tuple[int, int, str], list[Slot]] = {}
    for slot in sorted(found, key=lambda one: (one.stage, one.block, one.position == "stage_end")):
        at_end = slot.position == "post" and slot.block == last_blocks[slot.stage]
        position = "stage_end" if at_end else slot.position
        places.setdefault((slot.stage, slot.block, position), []).append(slot)
    return [
        [*place, order, slot.attention.kind, asdict(slot.sizes), *_gain(slot)]
        for place, modules in sorted(places.items())
        for order, slot in enumerate(modules)
    ]


def _gain(slot: Slot) -> list[str]:
    """Return nothing for a plain gain, so that digests from before gains stay what they were."""
    return [] if slot.gain == "plain" else [slot.gain]
