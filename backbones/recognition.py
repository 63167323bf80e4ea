"""Torchvision's own ResNets, known by their parts: `recognised(model, image_side)`.

Nothing of torchvision is imported: whatever has these parts in these sizes is one of its ResNets.
"""

from math import prod
from typing import Literal

from torch import nn

from space import Backbone, Refusal
from space.backbone import EXPANSION, Stage

Kind = Literal["basic", "bottleneck"]

LAYERS = ("layer1", "layer2", "layer3", "layer4")
PARTS = ("conv1", "bn1", "maxpool", *LAYERS, "fc")
BLOCK_PARTS: dict[Kind, tuple[str, ...]] = {  # in the order in which torchvision names them
    "basic": ("conv1", "bn1", "relu", "conv2", "bn2"),
    "bottleneck": ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "relu"),
}
STEM_STRIDE = 4  # a convolution and a pooling that halve, both rounding up
WAY_OUT = "insert into torchvision's resnet18, resnet34, resnet50, resnet101 or resnet152"


def recognised(model: nn.Module, image_side: int) -> Backbone:
    """Return the model's shapes for square images, or refuse what is none of these networks."""
    parts = dict(model.named_children()) if isinstance(model, nn.Module) else {}
    missing = [name for name in PARTS if name not in parts]
    if missing:
        raise Refusal(
            f"model must have {', '.join(PARTS)}, got a {type(model).__name__} "
            f"without {', '.join(missing)}; {WAY_OUT}"
        )
    named = [name for name in parts if name.removeprefix("layer").isdecimal()]
    if len(named) != len(LAYERS):
        raise Refusal(f"stages must be {', '.join(LAYERS)}, got {', '.join(named)}; {WAY_OUT}")
    stem = _stem_width(parts["conv1"], parts["maxpool"])
    kind, stages = _stages({name: parts[name] for name in LAYERS}, stem)
    least = STEM_STRIDE * prod(stage.stride for stage in stages)
    if not isinstance(image_side, int) or image_side < least:
        raise Refusal(
            f"image_side must be an integer of at least {least}, by which the network divides it, "
            f"got {image_side!r}; name the side of the images, 224 for ImageNet"
        )
    side = -(-image_side // STEM_STRIDE)
    return Backbone(type(model).__name__, "projection", stages, kind, stem, side)


def _stem_width(conv: nn.Module, pool: nn.Module) -> int:
    """Return the channels behind a stem as torchvision makes it."""
    conv = _convolution("conv1", conv)
    _refuse_other("conv1", conv, _like(conv, (conv.in_channels, conv.out_channels, 7, 2)))
    _refuse_other("maxpool", pool, nn.MaxPool2d(3, 2, 1))
    return conv.out_channels


def _stages(layers: dict[str, nn.Module], entering: int) -> tuple[Kind, tuple[Stage, ...]]:
    """Return the kind of all blocks, and the layers' shapes."""
    for name, layer in layers.items():
        if not isinstance(layer, nn.Sequential) or not len(layer):
            raise Refusal(f"{name} must be a Sequential of blocks, got {_said(layer)}; {WAY_OUT}")
        if hasattr(layer, "end") or any(hasattr(block, "after_conv1") for block in layer):
            raise Refusal(
                f"model must have no attention yet, got some in {name}; insert all placements "
                f"at once into a model without"
            )
    first = next(layers["layer1"].children())
    kind: Kind = "bottleneck" if hasattr(first, "conv3") else "basic"
    stages: list[Stage] = []
    for name, layer in layers.items():
        stages.append(_stage(name, layer, kind, entering))
        entering = stages[-1].width
    return kind, tuple(stages)


def _stage(name: str, layer: nn.Module, kind: Kind, entering: int) -> Stage:
    """Return the layer's shape, or refuse a block of another kind or width than the first."""
    blocks = [(f"{name}.{key}", block) for key, block in layer.named_children()]
    convs = [_convolutions(where, block, kind) for where, block in blocks]
    width, stride = convs[0][-1].out_channels, max(conv.stride[0] for conv in convs[0])
    for index, (where, _) in enumerate(blocks):
        first = index == 0
        sizes = _sizes(kind, entering if first else width, width, stride if first else 1)
        for number, (conv, size) in enumerate(zip(convs[index], sizes, strict=True), start=1):
            _refuse_other(f"{where}.conv{number}", conv, _like(conv, size))
    return Stage(width, len(blocks), stride)


def _sizes(kind: Kind, entering: int, width: int, stride: int) -> list[tuple[int, int, int, int]]:
    """Return channels in and out, kernel and stride of each convolution in a block."""
    inner = width // EXPANSION
    if kind == "basic":
        return [(entering, width, 3, stride), (width, width, 3, 1)]
    return [(entering, inner, 1, 1), (inner, inner, 3, stride), (inner, width, 1, 1)]


def _convolutions(where: str, block: nn.Module, kind: Kind) -> list[nn.Conv2d]:
    """Return a block's convolutions, or refuse a block with other parts."""
    parts, expected = dict(block.named_children()), BLOCK_PARTS[kind]
    names = tuple(name for name in parts if name != "downsample")
    if names != expected:
        raise Refusal(
            f"{where} must have {', '.join(expected)}, and downsample or not, got "
            f"{', '.join(names) or _said(block)}; {WAY_OUT}"
        )
    found = [name for name in expected if name.startswith("conv")]
    return [_convolution(f"{where}.{name}", parts[name]) for name in found]


def _convolution(where: str, module: nn.Module) -> nn.Conv2d:
    if not isinstance(module, nn.Conv2d):
        raise Refusal(f"{where} must be a Conv2d, got {_said(module)}; {WAY_OUT}")
    return module


def _like(conv: nn.Conv2d, size: tuple[int, int, int, int]) -> nn.Conv2d:
    """Return a convolution of the size, without weights, as dilated as the given one."""
    entering, width, kernel, stride = size
    dilation = conv.dilation[0]
    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        entering, width, kernel, stride, padding, dilation=dilation, bias=False, device="meta"
    )


def _refuse_other(where: str, module: nn.Module, expected: nn.Module) -> None:
    """Refuse a module that is not described as the expected one is."""
    if _said(module) != _said(expected):
        raise Refusal(f"{where} must be {_said(expected)}, got {_said(module)}; {WAY_OUT}")


def _said(module: nn.Module) -> str:
    """Return the module in one line."""
    return f"{type(module).__name__}({module.extra_repr()})"
