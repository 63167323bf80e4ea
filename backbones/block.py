"""Residual blocks with a named slot for attention in every place.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, sec. 3.3, 4.1 and 4.2.
Departs from it: a bottleneck's stride is in its 3x3 convolution, as in the networks in use.
Shapes: B images, C channels in, W channels out, I channels within a bottleneck, H x H and S x S
positions in and out.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import pad, relu

from space import BlockShapes
from space.place import Position

Attention = Mapping[Position, nn.Module]


def convolution(entering: int, width: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution without bias, in He's normal start for what it sends out.

    Each convolution of the backbone is drawn here and nowhere else: a pass over the finished
    model would undo the starts that attention modules give themselves.
    """
    conv = nn.Conv2d(entering, width, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class PadShortcut(nn.Module):
    """Every other position, and zeros for the channels that are new (option A)."""

    def __init__(self, num_new: int, stride: int) -> None:
        super().__init__()
        self.num_new = num_new
        self.stride = stride

    def forward(self, x_BCHH: Tensor) -> Tensor:
        """Return the input, sub-sampled and widened, without parameters."""
        x_BCSS = x_BCHH[:, :, :: self.stride, :: self.stride]
        return pad(x_BCSS, (0, 0, 0, 0, 0, self.num_new))


def shortcut_of(kind: Literal["pad", "projection"], shapes: BlockShapes, stride: int) -> nn.Module:
    """Return the identity where the shape stays, else the backbone's kind of shortcut."""
    entering, width = shapes.entering.channels, shapes.leaving.channels
    if shapes.entering == shapes.leaving:
        return nn.Identity()
    if kind == "pad":
        return PadShortcut(width - entering, stride)
    return nn.Sequential(convolution(entering, width, 1, stride), nn.BatchNorm2d(width))


class Block(nn.Module, ABC):
    """relu(residual(branch(pre(x))) + identity(shortcut(x))), then post.

    The five slots hold attention, applied in order; an empty one is the identity. `after_conv1`
    lies within the branch.
    """

    def __init__(self, shortcut: nn.Module, attention: Attention) -> None:
        super().__init__()
        self.pre = attention["pre"]
        self.after_conv1 = attention["after_conv1"]
        self.residual = attention["residual"]
        self.shortcut = shortcut
        self.identity = attention["identity"]
        self.post = attention["post"]

    @abstractmethod
    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return what is added to the shortcut, before its attention."""

    def forward(self, x_BCHH: Tensor) -> Tensor:
        """Return the block's output, after its last activation."""
        y_BWSS: Tensor = self.residual(self.branch(self.pre(x_BCHH)))
        shortcut_BWSS: Tensor = self.identity(self.shortcut(x_BCHH))
        out_BWSS: Tensor = self.post(relu(y_BWSS + shortcut_BWSS, inplace=True))
        return out_BWSS


class BasicBlock(Block):
    """Two 3x3 convolutions; the first has the stride."""

    def __init__(
        self, shapes: BlockShapes, *, stride: int, shortcut: nn.Module, attention: Attention
    ) -> None:
        super().__init__(shortcut, attention)
        width = shapes.leaving.channels
        self.conv1 = convolution(shapes.entering.channels, width, 3, stride)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.norm2 = nn.BatchNorm2d(width)

    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return norm(conv(after_conv1(relu(norm(conv(x))))))."""
        y_BWSS = relu(self.norm1(self.conv1(x_BCHH)), inplace=True)
        out_BWSS: Tensor = self.norm2(self.conv2(self.after_conv1(y_BWSS)))
        return out_BWSS


class Bottleneck(Block):
    """1x1, 3x3 with the stride, 1x1; the inner ones are narrower."""

    def __init__(
        self, shapes: BlockShapes, *, stride: int, shortcut: nn.Module, attention: Attention
    ) -> None:
        super().__init__(shortcut, attention)
        inner, width = shapes.inner.channels, shapes.leaving.channels
        self.conv1 = convolution(shapes.entering.channels, inner, 1)
        self.norm1 = nn.BatchNorm2d(inner)
        self.conv2 = convolution(inner, inner, 3, stride)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv3 = convolution(inner, width, 1)
        self.norm3 = nn.BatchNorm2d(width)

    def branch(self, x_BCHH: Tensor) -> Tensor:
        """Return the three convolutions, each with its norm, and after_conv1 behind the first."""
        y_BIHH = relu(self.norm1(self.conv1(x_BCHH)), inplace=True)
        y_BIHH = self.after_conv1(y_BIHH)
        y_BISS = relu(self.norm2(self.conv2(y_BIHH)), inplace=True)
        out_BWSS: Tensor = self.norm3(self.conv3(y_BISS))
        return out_BWSS


BLOCK_CLASSES: dict[Literal["basic", "bottleneck"], type[BasicBlock] | type[Bottleneck]] = {
    "basic": BasicBlock,
    "bottleneck": Bottleneck,
}
