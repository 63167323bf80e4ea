"""A network from data: `build(architecture)`.

Modules are named as people count: `stage2.block1.residual.0` is the first attention in the first
block of the second stage, `stage2.end.0` the first behind the stage.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from space import Architecture, Backbone, Slot, plan

from .attention import BUILDERS
from .block import BasicBlock, convolution, shortcut_of


def build(architecture: Architecture) -> nn.Module:
    """Return the network, freshly drawn from the global generator.

    `stem`, `stage1` and so on, `head`. It runs fastest with its weights and images in
    `torch.channels_last`.
    """
    backbone = architecture.plain_backbone()
    slots = plan(architecture)
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(backbone.stages[0].width))
    for number in range(1, len(backbone.stages) + 1):
        own = [slot for slot in slots if slot.stage == number]
        parts[f"stage{number}"] = _stage(backbone, number, own)
    parts["head"] = _head(backbone.stages[-1].width, architecture.num_classes)
    return nn.Sequential(parts)


def _stem(width: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv=convolution(3, width, 3, 1),
            norm=nn.BatchNorm2d(width),
            activation=nn.ReLU(inplace=True),
        )
    )


def _stage(backbone: Backbone, number: int, slots: Sequence[Slot]) -> nn.Module:
    """Return the blocks by name, then what stands behind them."""
    stage = backbone.stages[number - 1]
    entering = backbone.stages[max(0, number - 2)].width
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for block in range(1, stage.num_blocks + 1):
        stride = stage.stride if block == 1 else 1
        residual = [s for s in slots if (s.position, s.block) == ("residual", block)]
        parts[f"block{block}"] = BasicBlock(
            entering,
            stage.width,
            stride=stride,
            shortcut=shortcut_of(backbone.shortcut, entering, stage.width, stride),
            residual=_attention(residual),
        )
        entering = stage.width
    parts["end"] = _attention([slot for slot in slots if slot.position == "stage_end"])
    return nn.Sequential(parts)


def _attention(slots: Sequence[Slot]) -> nn.Module:
    """Return the modules of one place in their order; none is the identity."""
    ordered = sorted(slots, key=lambda slot: slot.order)
    return nn.Sequential(
        *(BUILDERS[slot.attention.kind](slot.shape.channels, slot.sizes) for slot in ordered)
    )


def _head(width: int, num_classes: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            linear=nn.Linear(width, num_classes),
        )
    )
