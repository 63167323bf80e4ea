"""Attention in torchvision's own ResNets: `insert(model, stages)`.

A block that gets attention is replaced by one that holds its parts under their names, and what
stands behind a stage becomes the last part of its layer: the model's own tensors and their names
stay, so that its checkpoints and optimizers stay good.
Shapes: B images, C channels in, W channels out, I channels within a bottleneck, H x H and S x S
positions in and out.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TypeVar

from torch import Tensor, nn

from space import Placement, Refusal, Slot
from space.slot import reason_invalid, slots

from .block import Attention
from .recognition import LAYERS, Kind, recognised
from .slots import in_block, standing_at

Model = TypeVar("Model", bound=nn.Module)


class InsertedBlock(nn.Module, ABC):
    """A block of torchvision's with attention in its slots; an empty one is the identity.

    relu(residual(branch(pre(x))) + identity(downsample(x))), then post.
    """

    conv1: nn.Module
    bn1: nn.Module
    conv2: nn.Module
    bn2: nn.Module
    relu: nn.Module
    downsample: nn.Module | None
    pre: nn.Module
    after_conv1: nn.Module
    residual: nn.Module
    identity: nn.Module
    post: nn.Module

    def __init__(self, block: nn.Module, attention: Attention) -> None:
        super().__init__()
        self.training = block.training  # not train(), which would reach the block's parts
        self.register_module("downsample", None)
        for name, module in (*block.named_children(), *attention.items()):
            self.register_module(name, module)

    @abstractmethod
    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return what is added to the shortcut, before its attention."""

    def forward(self, x_BCHH: Tensor) -> Tensor:
        """Return the block's output, after its last activation."""
        y_BWSS: Tensor = self.residual(self.branch(self.pre(x_BCHH)))
        shortcut_BWSS = x_BCHH if self.downsample is None else self.downsample(x_BCHH)
        out_BWSS: Tensor = self.post(self.relu(y_BWSS + self.identity(shortcut_BWSS)))
        return out_BWSS


class InsertedBasic(InsertedBlock):
    """Two 3x3 convolutions."""

    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return norm(conv(after_conv1(relu(norm(conv(x))))))."""
        hidden_BWSS: Tensor = self.after_conv1(self.relu(self.bn1(self.conv1(x_BCHH))))
        y_BWSS: Tensor = self.bn2(self.conv2(hidden_BWSS))
        return y_BWSS


class InsertedBottleneck(InsertedBlock):
    """1x1, 3x3, 1x1."""

    conv3: nn.Module
    bn3: nn.Module

    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return the three convolutions, each with its norm, and after_conv1 behind the first."""
        y_BIHH: Tensor = self.after_conv1(self.relu(self.bn1(self.conv1(x_BCHH))))
        y_BISS: Tensor = self.relu(self.bn2(self.conv2(y_BIHH)))
        y_BWSS: Tensor = self.bn3(self.conv3(y_BISS))
        return y_BWSS


INSERTED_CLASSES: dict[Kind, type[InsertedBlock]] = {
    "basic": InsertedBasic,
    "bottleneck": InsertedBottleneck,
}


def insert(model: Model, stages: Sequence[Sequence[Placement]], *, image_side: int = 224) -> Model:
    """Put attention into one of torchvision's ResNets, in place, and return it.

    `stages` holds the placements of layer1 to layer4, as `Architecture.stages` does. The new
    modules are drawn from the global generator and take the model's device, dtype and mode; the
    model's state dict gains their keys (`layer2.0.residual.0`, `layer2.end.0`) and loses none.
    With a gain of zero the outputs in evaluation mode stay what they were.

    Give new parameters to the optimizer (`add_param_group`), and hook a block afterwards: a hook
    on a block that is replaced goes with it. Mechanisms made for one size of map, as mhsa is,
    need images of `image_side`.

    Raises:
        Refusal: the model is another network or has attention already, or a placement cannot
            stand where it is asked for; the model is left as it was.
    """
    backbone = recognised(model, image_side)
    if len(stages) != len(LAYERS):
        raise Refusal(
            f"stages must hold {len(LAYERS)} lists of placements, one for each of "
            f"{', '.join(LAYERS)}, got {len(stages)}; give a plain layer an empty list"
        )
    reason = reason_invalid(backbone, stages)
    if reason:
        raise Refusal(f"{reason}; change or drop this placement")
    found = slots(backbone, stages)
    new: list[tuple[nn.Module, str, nn.Module]] = []
    for number, name in enumerate(LAYERS, start=1):
        layer, own = model.get_submodule(name), [slot for slot in found if slot.stage == number]
        parts = _with_attention(layer, own, INSERTED_CLASSES[backbone.block], model.training)
        new += [(layer, part, module) for part, module in parts.items()]
    for layer, part, module in new:
        layer.register_module(part, module)
    return model


def _with_attention(
    layer: nn.Module, slots: Sequence[Slot], block_class: type[InsertedBlock], training: bool
) -> dict[str, nn.Module]:
    """Return the layer's new parts by name: the blocks that get attention, and its end."""
    parts: dict[str, nn.Module] = {}
    for number, (name, block) in enumerate(layer.named_children(), start=1):
        if any(slot.block == number and slot.position != "stage_end" for slot in slots):
            attention = in_block(slots, number)
            _suit(attention.values(), block, training)
            parts[name] = block_class(block, attention)
    if any(slot.position == "stage_end" for slot in slots):
        *_, last = layer.children()
        parts["end"] = standing_at("stage_end", slots)
        _suit([parts["end"]], last, training)
    return parts


def _suit(modules: Iterable[nn.Module], block: nn.Module, training: bool) -> None:
    """Give new modules the block's device and dtype, and the model's mode."""
    weight = block.get_submodule("conv1").get_parameter("weight")
    for module in modules:
        module.to(weight.device, weight.dtype).train(training)
