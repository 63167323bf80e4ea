"""A network from data: `build(architecture)`.

Modules are named as people count: `stage2.block1.residual.0` is the first attention in the first
block of the second stage, `stage2.end.0` the first behind the stage.
"""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from space import Architecture, Backbone, Slot, plan

from .block import BLOCK_CLASSES, convolution, shortcut_of
from .slots import in_block, standing_at


def build(architecture: Architecture) -> nn.Module:
    """Return the network, freshly drawn from the global generator.

    `stem`, `stage1` and so on, `head`. It runs fastest with its weights and images in
    `torch.channels_last`.
    """
    backbone = architecture.plain_backbone()
    slots = plan(architecture)
    parts: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(backbone.stem_width))
    for number in backbone.numbers():
        own = [slot for slot in slots if slot.stage == number]
        parts[f"stage{number}"] = _stage(backbone, number, own)
    parts["head"] = _head(backbone.stages[-1].width, architecture.num_classes)
    return nn.Sequential(parts)


def _stem(width: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv=convolution(3, width, 3),
            norm=nn.BatchNorm2d(width),
            activation=nn.ReLU(inplace=True),
        )
    )


def _stage(backbone: Backbone, number: int, slots: Sequence[Slot]) -> nn.Module:
    """Return the blocks by name, then what stands behind them."""
    stage = backbone.stages[number - 1]
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for block in range(1, stage.num_blocks + 1):
        shapes = backbone.block_shapes(number, block)
        stride = stage.stride if block == 1 else 1
        parts[f"block{block}"] = BLOCK_CLASSES[backbone.block](
            shapes,
            stride=stride,
            shortcut=shortcut_of(backbone.shortcut, shapes, stride),
            attention=in_block(slots, block),
        )
    parts["end"] = standing_at("stage_end", slots)
    return nn.Sequential(parts)


def _head(width: int, num_classes: int) -> nn.Module:
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            linear=nn.Linear(width, num_classes),
        )
    )
